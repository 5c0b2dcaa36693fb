import { rangeRefusal } from "../runtime/refusal";
import type { Prediction } from "./prediction";

/** How well the images of one patient were recognised. */
export interface PatientScore {
  patient: string;
  /** The label of the patient's first image. */
  label: number;
  /** N_P, the patient's images. */
  images: number;
  /** N_rec, those of them that were classified correctly. */
  correct: number;
  /** correct / images. */
  score: number;
}

/** Both accuracies that BreaKHis results are published with. */
export interface RecognitionRates {
  /** Mean of the patient scores; NaN if no patient is known. Not the share of patients decided correctly. */
  patientRecognitionRate: number;
  /** Share of all images, of unknown patients too, that were classified correctly. */
  imageRecognitionRate: number;
  patients: PatientScore[];
  imagesWithoutPatient: number;
}

/**
 * Computes the patient score N_rec / N_P, its mean, the patient recognition rate, and the image recognition rate:
 * Spanhol, Oliveira, Petitjean and Heutte, IEEE Trans. Biomed. Eng. 63(7), 2016, equations 1 to 3.
 *
 * Works for any number of classes. Pass one magnification at a time to compare with that paper.
 *
 * @param predictions - At least one.
 * @throws RangeError if there are none.
 */
export function recognitionRates(
  predictions: readonly Pick<Prediction, "patient" | "label" | "predicted">[],
): RecognitionRates {
  if (predictions.length === 0) {
    throw rangeRefusal("There are no predictions to score: is this part of the split empty?");
  }
  const patients = new Map<string, PatientScore>();
  let correct = 0;
  for (const { patient, label, predicted } of predictions) {
    const right = label === predicted ? 1 : 0;
    correct += right;
    if (patient === null) continue;
    const entry = patients.get(patient) ?? { patient, label, images: 0, correct: 0, score: 0 };
    entry.images++;
    entry.correct += right;
    entry.score = entry.correct / entry.images;
    patients.set(patient, entry);
  }
  const scores = [...patients.values()];
  return {
    patientRecognitionRate: scores.reduce((sum, { score }) => sum + score, 0) / scores.length,
    imageRecognitionRate: correct / predictions.length,
    patients: scores,
    imagesWithoutPatient: predictions.filter(({ patient }) => patient === null).length,
  };
}
