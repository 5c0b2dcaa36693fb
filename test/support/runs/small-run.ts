import { join } from "node:path";
import { generateDemoDataset } from "../../../src/data/demo/demo";
import { saveTriage, triageRun } from "../../../src/experiments/runs/run-triage";
import { trainRun } from "../../../src/experiments/runs/train-run";
import { completeSettings } from "../../../src/runtime/settings";
import { calibrateTest } from "../../../src/scores/calibrated-test";

/** A run as notebooks 03 and 04 leave it, of small synthetic images and a small input. */
export interface SmallRun {
  folder: string;
  /** The images that it was trained on. */
  images: string;
  classifierFolder: string;
}

/** Does what notebooks 03 and 04 do, without the figures, in a few seconds; `$BREAKHIS_RUNS` is `home/runs`. */
export async function makeSmallRun(home: string): Promise<SmallRun> {
  const images = join(home, "images");
  await generateDemoDataset(images, { patients: 16, imagesPerPatient: 4, width: 175, height: 115 });
  const asked = { data: images, backbone: "efficientnet-lite0", inputSize: 64, epochs: 4 } as const;
  const trained = await trainRun(completeSettings(asked));
  const { run, predictions } = trained!;
  const { folder } = run;
  const classifierFolder = join(folder, "classifier");
  const triage = { targetSensitivity: 0.9, triageLevel: "image" as const, bootstrap: { resamples: 20 } };
  const { locked } = triageRun({ ...triage, predictions, positiveClass: 1 });
  const { fit } = calibrateTest(predictions, { positiveClass: 1, threshold: 0.5 });
  await saveTriage({ folder, classifierFolder }, locked, fit.temperature);
  return { folder, images, classifierFolder };
}
