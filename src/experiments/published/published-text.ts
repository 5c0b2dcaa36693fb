import { countOf } from "../../runtime/words";
import { recognitionRates } from "../../scores/patient-scores";
import type { Prediction } from "../../scores/prediction";
import { textTable } from "../evaluation-text";
import { type AnswerTable, describeAnswers } from "./answer-table";
import {
  type FoldFilesEvaluation,
  type MeanScores,
  type PublishedScores,
  publishedScores,
} from "./fold-files";
import type { SharedPatient } from "./official-folds";

const percent = (share: number | null) => (share === null ? "–" : `${(100 * share).toFixed(1)} %`);
const decimals = (value: number | null) => (value === null ? "–" : value.toFixed(3));

const scoreColumns = ["images", "patients", "image accuracy", "patient recognition rate", "AUC"];

function scoreCells(scores: PublishedScores | null): string[] {
  if (scores === null) return scoreColumns.map(() => "–");
  const { images, patients, imageRecognitionRate, patientRecognitionRate, auc } = scores;
  return [
    `${images}`,
    `${patients}`,
    percent(imageRecognitionRate),
    percent(patientRecognitionRate),
    decimals(auc),
  ];
}

function meanCells({ imageRecognitionRate, patientRecognitionRate, auc }: MeanScores): string[] {
  const shares = [imageRecognitionRate, patientRecognitionRate].map((one) =>
    one === null ? "–" : `${(100 * one.mean).toFixed(1)} ± ${(100 * one.deviation).toFixed(1)} %`,
  );
  return ["", "", ...shares, auc === null ? "–" : `${auc.mean.toFixed(3)} ± ${auc.deviation.toFixed(3)}`];
}

function sharedText(file: string, shared: readonly SharedPatient[]): string {
  if (shared.length === 0) return `${file}: no patient lies on both sides.`;
  const names = shared.map(({ patient, slides }) =>
    slides.length === 0 ? patient : `${patient} (even the slide ${slides.join(", ")})`,
  );
  return `${file}: ${countOf(shared.length, "patient lies", "patients lie")} on both sides: ${names.join(", ")}.`;
}

/** Writes an evaluation on BreaKHis' fold files as plain text with tables, for a terminal. */
export function describeFoldFiles({
  dataset,
  folds,
  mean,
  meanUnshared,
}: Pick<FoldFilesEvaluation, "dataset" | "folds" | "mean" | "meanUnshared">): string {
  if (folds.length === 0) return "No fold was finished.";
  const table = (which: "all" | "unshared", means: MeanScores) =>
    textTable([
      ["", ...scoreColumns],
      ...folds.map((fold) => [fold.file, ...scoreCells(fold[which])]),
      ["mean ± standard deviation", ...meanCells(means)],
    ]);
  const [first] = folds as [(typeof folds)[number]];
  const part =
    first.here < first.named
      ? ` ${first.here} of the ${first.named} images that ${first.file} names are here: these numbers are of that part.`
      : "";
  return [
    dataset.synthetic ? "The images are synthetic: no number here says anything about tissue." : "",
    `The divisions that BreaKHis' authors published, each trained and tested by itself.${part}`,
    `Tested as they stand:\n${table("all", mean)}`,
    `They are not clean by patient, whose slides differ by their letters alone:\n${folds.map((fold) => sharedText(fold.file, fold.shared)).join("\n")}`,
    `Tested without those patients:\n${table("unshared", meanUnshared)}`,
  ]
    .filter((part) => part !== "")
    .join("\n\n");
}

/** What a table of answers scores, for each magnification and for all; JSON can hold it. */
export interface AnswerScores {
  method: "answers";
  classes: string[];
  rows: { magnification: number | null; scores: PublishedScores }[];
  all: PublishedScores;
  patients: { patient: string; label: number; images: number; correct: number; score: number }[];
  complete: true;
}

/** Scores answers as BreaKHis' publications do: by image, and by patient after Spanhol et al. 2016. */
export function scoreAnswers({ classes, positiveClass, predictions }: AnswerTable): AnswerScores {
  const magnifications = [...new Set(predictions.map(({ magnification }) => magnification))];
  magnifications.sort(
    (one, other) => (one ?? Number.POSITIVE_INFINITY) - (other ?? Number.POSITIVE_INFINITY),
  );
  const of = (items: readonly Prediction[]) => publishedScores(items, positiveClass)!;
  return {
    method: "answers",
    classes,
    rows: magnifications.map((magnification) => ({
      magnification,
      scores: of(predictions.filter((one) => one.magnification === magnification)),
    })),
    all: of(predictions),
    patients: recognitionRates(predictions).patients,
    complete: true,
  };
}

/** Writes the scores of a table of answers as plain text with tables, for a terminal. */
export function describeAnswerScores(
  table: AnswerTable,
  { classes, rows, all, patients }: AnswerScores,
): string {
  const scores = textTable([
    ["", ...scoreColumns],
    ...(rows.length > 1
      ? rows.map(({ magnification, scores }) => [
          magnification === null ? "not known" : `${magnification}×`,
          ...scoreCells(scores),
        ])
      : []),
    ["all", ...scoreCells(all)],
  ]);
  const byPatient = textTable([
    ["patient", "class", "images", "right", "patient score"],
    ...patients.map(({ patient, label, images, correct, score }) => [
      patient,
      classes[label]!,
      `${images}`,
      `${correct}`,
      score.toFixed(3),
    ]),
  ]);
  return [describeAnswers(table), scores, ...(patients.length === 0 ? [] : [byPatient])].join("\n\n");
}
