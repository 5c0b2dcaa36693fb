import { type Attempt, attempt } from "../../runtime/attempt";
import { refusal } from "../../runtime/refusal";
import { compareRuns, type DelongResult, delongTest, type RunComparison } from "../../scores/compare-runs";
import { aggregateByPatient } from "../../scores/patients";
import type { Prediction } from "../../scores/prediction";
import type { SavedRun } from "../../training/runs/run-log";

/** What of a kept run is compared. */
export type ComparedRun = Pick<SavedRun, "id" | "predictions" | "summary">;

/** Two kept runs on the images of one part that both of them hold back. */
export interface KeptComparison extends RunComparison {
  /** By patient, since it takes its samples for independent; why not where it can't be made. */
  delong: Attempt<DelongResult>;
}

const partOf = ({ predictions }: ComparedRun, part: Prediction["split"]): Prediction[] =>
  predictions.filter(({ split }) => split === part);

/** DeLong's test on the same patients of both, in the same order. */
function testPatients(
  pairs: readonly (readonly Prediction[])[],
  { positiveClass, threshold }: ComparedRun["summary"],
): DelongResult {
  if (positiveClass === null)
    throw refusal("There is no AUC to compare: none of the classes is the one to be found.");
  const [first, second] = pairs.map((predictions) =>
    [...aggregateByPatient(predictions, { positiveClass, threshold })].sort((a, b) =>
      a.patient < b.patient ? -1 : 1,
    ),
  );
  const [firstScores, secondScores] = [first!, second!].map((patients) =>
    patients.map(({ probabilities }) => probabilities[positiveClass]!),
  );
  return delongTest(
    first!.map(({ label }) => label === positiveClass),
    firstScores!,
    secondScores!,
  );
}

/**
 * Compares two runs on the same images of one part, with intervals that resample patients, and with DeLong's test by
 * patient.
 *
 * @throws Error if they have no image of that part in common.
 */
export async function compareKept(
  first: ComparedRun,
  second: ComparedRun,
  part: Prediction["split"],
): Promise<KeptComparison> {
  const [ofFirst, ofSecond] = [partOf(first, part), partOf(second, part)];
  const files = new Set(ofFirst.map(({ file }) => file));
  const common = new Set(ofSecond.map(({ file }) => file).filter((file) => files.has(file)));
  if (common.size === 0) {
    throw refusal(
      `The runs ${first.id} and ${second.id} have no ${part} image in common: compare runs of one data set and split.`,
    );
  }
  const pairs = [ofFirst, ofSecond].map((predictions) => predictions.filter(({ file }) => common.has(file)));
  return {
    ...compareRuns(ofFirst, ofSecond, second.summary),
    delong: await attempt(() => testPatients(pairs, second.summary)),
  };
}
