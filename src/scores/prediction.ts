import type { SplitPart } from "../data/split/split-value";

/** What the classifier said about one image of the data set. */
export interface Prediction {
  /** Relative to the data set's folder. */
  file: string;
  split: SplitPart;
  patient: string | null;
  /** The true class. */
  label: number;
  /** Shape [classCount]; sums to 1. */
  probabilities: number[];
  /** The class decided for. */
  predicted: number;
}

/** A prediction of an image by a head that has never seen its patient. */
export interface OutOfFoldPrediction extends Prediction {
  split: "test";
  /** From 0 on. */
  fold: number;
  /** From 0 on; each repeat divides the patients anew. */
  repeat: number;
}

/** How good decisions are. Shares lie in [0, 1]; null stands for what is undefined, such as the AUC of one class. */
export interface Scores {
  /** Images, or patients. */
  count: number;
  accuracy: number;
  balancedAccuracy: number;
  /** Of the positive class against all others. */
  auc: number | null;
  sensitivity: number | null;
  specificity: number | null;
  /** What always answering the most frequent class would reach. */
  majorityClassAccuracy: number;
  /** Rows are true classes, columns predicted ones. */
  confusionMatrix: number[][];
}

/** Scores of decisions about whole patients. */
export interface PatientScores extends Scores {
  /** Patients whose images carry different labels; they count with the label of most of their images. */
  mixedPatients: string[];
  /** Images left out because their patient is not known. */
  imagesWithoutPatient: number;
}

/** Scores of one part of the split, by image and by patient. */
export interface PartScores extends Scores {
  /** Null where no patient is known, or labels are about images and patients have no class of their own. */
  byPatient: PatientScores | null;
}
