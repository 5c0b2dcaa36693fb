import type { Classifier } from "../../model/classifier/classifier";
import { decide } from "../../model/classifier/decision";
import type { SourcePrediction } from "../../model/classifier/predict-sources";
import { applyTemperature } from "../../model/classifier/temperature";
import { averageByPatient } from "../patients";
import { listWork, type WorkKind } from "./triage";

/** What a patient's images say together. */
export interface PatientJudgement {
  patient: string;
  /** Number of images. */
  images: number;
  /** Shape [classCount]: means over the images. */
  probabilities: number[];
  predicted: number;
  /** Null where no threshold is locked. */
  secondLook: boolean | null;
}

/** An image in the order in which to look at it. */
export interface JudgedImage extends SourcePrediction {
  /** From 1 on: the most suspicious first or, where no class is looked for, the least sure. */
  rank: number;
  /** Probability of the positive class that can be taken at its word; null where no temperature was fitted. */
  calibrated: number | null;
  /** What the locked threshold says; null where none is. */
  secondLook: boolean | null;
  listedAs: WorkKind | null;
  /** Null where the patient is not known. */
  ofPatient: PatientJudgement | null;
}

/** How a classifier decides, without what it computes with. */
export type Judging = Pick<Classifier, "positiveClass" | "threshold" | "triage">;

interface Place {
  rank: number;
  secondLook: boolean | null;
  listedAs: WorkKind | null;
}

/** Where each image stands in the work list, by path. */
function listAll(predictions: readonly SourcePrediction[], judging: Judging): Map<string, Place> {
  const { positiveClass, threshold, triage } = judging;
  const byPath = predictions.map((prediction) => ({ ...prediction, file: prediction.path }));
  if (positiveClass === null) {
    const sureness = ({ probabilities, predicted }: SourcePrediction) => probabilities[predicted]!;
    const sorted = byPath.sort((one, other) => sureness(one) - sureness(other));
    return new Map(sorted.map(({ file }, i) => [file, { rank: i + 1, secondLook: null, listedAs: null }]));
  }
  const rows = listWork(byPath, {
    level: "image",
    threshold,
    ...triage,
    positiveClass,
    decidesAt: threshold,
  });
  const locked = triage !== undefined;
  return new Map(
    rows.map(({ file, rank, needsLook, kind }) => [
      file,
      { rank, secondLook: locked ? needsLook : null, listedAs: locked ? kind : null },
    ]),
  );
}

function judgePatients(
  predictions: readonly SourcePrediction[],
  judging: Judging,
  places: ReadonlyMap<string, Place>,
): Map<string, PatientJudgement> {
  const judged = averageByPatient(predictions).map(({ patient, images, probabilities }) => {
    // By patient, all images have the same answer; by image, one that has to be looked at again is enough.
    const looks = images.map(({ path }) => places.get(path)!.secondLook);
    const secondLook = looks.includes(null) ? null : looks.includes(true);
    const predicted = decide(probabilities, judging);
    return { patient, images: images.length, probabilities, predicted, secondLook };
  });
  return new Map(judged.map((one) => [one.patient, one]));
}

/**
 * Decides about predicted images and their patients at the classifier's locked threshold, and ranks them.
 *
 * @returns In the order of the predictions.
 */
export function judgeImages(predictions: readonly SourcePrediction[], judging: Judging): JudgedImage[] {
  const { positiveClass, triage } = judging;
  const places = listAll(predictions, judging);
  const patients = judgePatients(predictions, judging, places);
  const temperature = triage?.temperature ?? null;
  return predictions.map((prediction) => {
    const { path, patient, probabilities } = prediction;
    const calibrated =
      temperature === null || positiveClass === null
        ? null
        : applyTemperature(probabilities, temperature)[positiveClass]!;
    const ofPatient = patient === null ? null : patients.get(patient)!;
    return { ...prediction, ...places.get(path)!, calibrated, ofPatient };
  });
}
