import { openDataset } from "../../data/dataset";
import { ensureDemoDataset } from "../../data/demo/demo";
import type { Dataset } from "../../data/record";
import { filesOfSplit, loadSplit, type Split } from "../../data/split/split";
import { bfloat16Problem, useArithmetic } from "../../runtime/device/arithmetic";
import { usesGpu } from "../../runtime/tensorflow";
import type { SavedRun } from "../../training/runs/run-log";

/**
 * Opens the images that a run was trained and tested on, in the parts that they were in; from then on this process computes
 * as the run did, where this machine can.
 *
 * @throws Error if images are missing, were changed since or are there that the run does not know of.
 */
export async function openRun(
  run: Pick<SavedRun, "settings" | "summary" | "splitFile">,
): Promise<{ dataset: Dataset; split: Split }> {
  const { settings, splitFile } = run;
  if (settings.arithmetic !== "bfloat16" || bfloat16Problem(usesGpu) === null)
    useArithmetic(settings.arithmetic);
  // Runs from before "null" was resolved have the synthetic set.
  const folder = settings.data ?? (await ensureDemoDataset());
  const opened = await openDataset(folder, settings);
  // Notebook 05 takes some images of each patient; what it left out is no part of its run.
  const dataset = run.summary.base === undefined ? opened : withFiles(opened, await filesOfSplit(splitFile));
  return { dataset, split: await loadSplit(splitFile, dataset, settings) };
}

function withFiles(dataset: Dataset, files: readonly { file: string }[]): Dataset {
  const known = new Set(files.map(({ file }) => file));
  return { ...dataset, records: dataset.records.filter(({ file }) => known.has(file)) };
}
