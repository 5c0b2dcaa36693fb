import type { DecisionRule } from "../model/classifier/decision";
import { compareRuns, type RunComparison } from "./compare-runs";
import type { BootstrapOptions } from "./intervals/bootstrap";
import { groupByRepeat } from "./intervals/score-intervals";
import { aggregateByPatient } from "./patients";
import type { Prediction } from "./prediction";

type Repeated = Prediction & { repeat?: number };

/** What is said of patients, in each repeat, as if each were one image. */
function ofPatients(predictions: readonly Repeated[], rule: DecisionRule): Repeated[] {
  return groupByRepeat(predictions).flatMap((group) =>
    aggregateByPatient(group, rule).map(
      ({ patient, label, probabilities, predicted }): Repeated => ({
        file: `patient ${patient}`,
        split: group[0]!.split,
        patient,
        label,
        probabilities,
        predicted,
        repeat: group[0]!.repeat ?? 0,
      }),
    ),
  );
}

/**
 * Compares two runs as `compareRuns` does, by what they say of whole patients: each counts once, however many images there
 * are.
 *
 * @returns Null where no patient is known, or labels are of images, so that patients have no class.
 * @throws Error if the two have no patient in common or are not repeated alike.
 */
export function comparePatients(
  first: readonly Repeated[],
  second: readonly Repeated[],
  rule: DecisionRule,
  options: BootstrapOptions = {},
): RunComparison | null {
  const [before, after] = [ofPatients(first, rule), ofPatients(second, rule)];
  return before.length === 0 || after.length === 0 ? null : compareRuns(before, after, rule, options);
}
