import { labelAmong, tumourClassesOf } from "../../data/layouts/class-names";
import type { DecisionRule } from "../../model/classifier/decision";
import { type ScoreIntervals, scoreWithIntervals } from "../intervals/score-intervals";
import type { Prediction } from "../prediction";
import { tumourAnswers, tumourRule } from "../tumour-answer";
import type { JudgedImage } from "./judged-images";

/** How answers compare with what a labels file says. */
export interface JudgedTruth {
  /** Null where no image's class is known to the classifier. */
  scores: ScoreIntervals | null;
  /** Of the answers benign and malignant that follow, where the classes are BreaKHis' subtypes. */
  tumour: ScoreIntervals | null;
  /** Classes of the labels file that the classifier does not have, with their images. */
  unknown: { className: string; images: number }[];
}

/**
 * Scores answers about images against the classes that a labels file gives them; images without one do not count.
 *
 * @param rule - The classifier's own.
 */
export function compareWithTruth(
  images: readonly JudgedImage[],
  rule: DecisionRule & { classes: readonly string[] },
): JudgedTruth {
  const { classes } = rule;
  const known: Prediction[] = [];
  const unknown = new Map<string, number>();
  for (const { path: file, patient, probabilities, predicted, truth } of images) {
    if (truth === undefined) continue;
    const label = labelAmong(classes, truth);
    if (label === null) unknown.set(truth, (unknown.get(truth) ?? 0) + 1);
    else known.push({ file, split: "test", patient, label, probabilities, predicted });
  }
  const tumour =
    known.length === 0 || tumourClassesOf(classes) === null ? null : tumourAnswers(known, classes);
  return {
    scores: known.length === 0 ? null : scoreWithIntervals(known, rule),
    tumour: tumour === null ? null : scoreWithIntervals(tumour, tumourRule),
    unknown: [...unknown].map(([className, count]) => ({ className, images: count })),
  };
}
