import { bestTry, type Sweep, type SweepGrid, type SweepTask, sweepSettings } from "../../experiments/sweep";
import type { Attempt } from "../../runtime/attempt";
import type { Settings } from "../../runtime/settings";
import type { Note } from "../display/attempt-display";
import { noteDisplay } from "../display/display";
import { type LiveOutput, liveOutput } from "../display/notebook";
import { scoreNames } from "../display/score-names";
import { settingName, settingText } from "../runs/run-differences";
import { plotSweep } from "./sweep-figure";

/** Twice a second is as often as a reader can follow. */
const shortestIntervalMs = 500;

/**
 * Tries all combinations of settings on cached features, cross-validated by patient inside the training and validation
 * part, and draws the scores as they come, in one place of the running cell. The stop button ends it with what it has.
 *
 * @throws Error as `sweepSettings` does.
 *
 * @example
 * const tried = await sweep({ learningRate: [1e-3, 1e-2], hiddenUnits: [[64], [128, 64]] }, { dataset, features, split, settings });
 */
export async function sweep(
  grid: SweepGrid,
  task: SweepTask & { output?: LiveOutput; now?: () => number },
): Promise<Sweep> {
  const { output = liveOutput(), now = Date.now, ...rest } = task;
  let drawnAtMs = Number.NEGATIVE_INFINITY;
  const onTry = (state: Sweep) => {
    task.onTry?.(state);
    if (now() - drawnAtMs < shortestIntervalMs) return;
    drawnAtMs = now();
    output.update(plotSweep(state));
  };
  try {
    const done = await sweepSettings(grid, { ...rest, onTry });
    output.update(plotSweep(done));
    return done;
  } catch (error) {
    // What was refused leaves no empty figure behind.
    output.clear();
    throw error;
  }
}

/** What `describeSweep` says, or why there was no sweep, as a cell's last value. */
export function sweepNote(result: Attempt<Sweep>): Note {
  return noteDisplay(result.ok === true ? describeSweep(result.value) : result.reason);
}

/** Says which settings did best, with which interval, which others did as well, and how far to trust that. */
export function describeSweep(sweep: Sweep): string {
  const { tries, planned, score, folds, images } = sweep;
  const tried = sweep.complete ? `${planned}` : `${tries.length} of ${planned}, since it was stopped,`;
  const best = bestTry(sweep);
  if (best === null)
    return `Of ${planned} combinations, ${tries.length} were tried, and none has a score to compare.`;
  const interval = best.scores!.image.scores[score];
  const { value, low, high, level, patients } = interval;
  const range =
    low === null || high === null
      ? "no interval"
      : `${100 * level} % interval ${low.toFixed(3)} to ${high.toFixed(3)}, ${patients} patients`;
  const names = Object.keys(best.values) as (keyof Settings)[];
  const settings = names.map((name) => `${settingName(name)} ${settingText(best.values[name])}`).join(", ");
  const alike = tries.filter((one) => {
    const other = one.scores?.image.scores[score].value ?? null;
    return one !== best && other !== null && low !== null && other >= low;
  }).length;
  return [
    `Best of ${tried} combinations: ${settings}, with ${scoreNames[score]} ${value!.toFixed(3)} (${range}),`,
    `cross-validated in ${folds} folds by patient on the ${images} images of the training and validation part.`,
    `${alike} of the other ${tries.length - 1} lie within its interval, and may be as good.`,
    "The best of many tries owes some of its lead to luck, so its own score is too high;",
    "the test part was not looked at, and can still judge what you choose, once.",
  ].join(" ");
}
