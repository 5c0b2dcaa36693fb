import { signedText } from "../../experiments/evaluation-text";
import { type ComparedRun, compareKept, type KeptComparison } from "../../experiments/runs/compare-kept";
import { refusal } from "../../runtime/refusal";
import type { Prediction } from "../../scores/prediction";
import { loadRun } from "../../training/runs/run-log";
import { titleWithOrigin } from "../display/figure";
import { type PlainTable, plainTable } from "../display/plain-table";
import { scoreNames, scoreOrder } from "../display/score-names";
import type { Cell } from "../display/table-html";

/** Two runs on the images that both of them hold back. */
export interface KeptRunComparison {
  /** What it comes to: the difference by image, and by patient where that can be said. */
  sentence: string;
  /** Second minus first, score by score. */
  table: PlainTable;
}

/** Below it, intervals that resample patients are too narrow: see `bootstrapIntervals`. */
const enoughPatients = 20;

const difference = (value: number | null): string => (value === null ? "–" : signedText(value));

function describeDelong({ delong }: KeptComparison): string {
  if (delong.ok === false) return "";
  if (Number.isNaN(delong.value.pValue)) {
    return ` By patient the AUC is ${delong.value.firstAuc.toFixed(3)} and ${delong.value.secondAuc.toFixed(3)}; so few patients show no variance to test the difference by.`;
  }
  const { firstAuc, secondAuc, pValue } = delong.value;
  return ` By patient the AUC is ${firstAuc.toFixed(3)} and ${secondAuc.toFixed(3)}; DeLong's test for the difference of the two gives p = ${pValue.toFixed(2)}.`;
}

/**
 * Asks whether one run is better than another, or was lucky: both on the same images of the validation part, with
 * intervals that resample patients, and DeLong's test by patient.
 *
 * @param firstId - A finished run's.
 * @param secondId - Another one's, with the same images in its part; `showRuns` lists all runs.
 * @param part - By default the validation part: whoever chooses by the test part has none left to believe.
 * @throws Error if there are no two runs, one is not there or has not finished, or they have no image of that part in common.
 *
 * @example
 * const { sentence, table } = await compareKeptRuns("2026-03-14T15-09-26", "2026-03-14T15-12-01");
 */
export async function compareKeptRuns(
  firstId: string | undefined,
  secondId: string | undefined,
  part: Prediction["split"] = "validation",
): Promise<KeptRunComparison> {
  if (firstId === undefined || secondId === undefined) {
    throw refusal("It takes two finished runs to compare: change a setting, train again, and come back.");
  }
  return compareLoadedRuns(await loadRun(firstId), await loadRun(secondId), part);
}

/** The same for runs that were read already. */
export async function compareLoadedRuns(
  first: ComparedRun,
  second: ComparedRun,
  part: Prediction["split"] = "validation",
): Promise<KeptRunComparison> {
  const comparison = await compareKept(first, second, part);
  const { differences, conclusion, images, unmatched } = comparison;
  const few =
    differences.accuracy.patients < enoughPatients
      ? " With so few patients the intervals are too narrow: take this for a hint."
      : "";
  const left = unmatched === 0 ? "" : ` ${unmatched} images that only one of them has there are left out.`;
  const rows = scoreOrder
    .filter((name) => differences[name].value !== null)
    .map((name): Record<string, Cell> => {
      const { value, low, high } = differences[name];
      return {
        score: scoreNames[name],
        "second minus first": difference(value),
        from: difference(low),
        to: difference(high),
      };
    });
  const level = Math.round(100 * differences.accuracy.level);
  return {
    sentence: `${conclusion}${few}${describeDelong(comparison)}${left}`,
    table: plainTable(
      rows,
      titleWithOrigin(
        `Second run ${second.id}, first run ${first.id}: ${images} ${part} images, ${level} % intervals`,
        second.summary.synthetic || first.summary.synthetic,
      ),
    ),
  };
}
