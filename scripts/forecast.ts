// Says what the preset assumes, and how long its runs will take on this machine, from a few measured steps.
// node scripts/typescript.js forecast.ts '{"fineTune": {"from": "all"}}'
import { openDataset } from "../src/data/dataset";
import { ensureDemoDataset } from "../src/data/demo/demo";
import { makeSplit } from "../src/data/split/split";
import { articleAssumptions } from "../src/experiments/published/article";
import { requireOpen } from "../src/model/backbones/architecture";
import { loadBackbone } from "../src/model/backbones/backbone";
import { completeSettings } from "../src/runtime/settings";
import { countOf } from "../src/runtime/words";
import { forecastFineTuning } from "../src/training/forecast";
import { durationText } from "../src/views/display/progress-bar";
import { endWithReason } from "./ending";
import { say } from "./say";

async function main(): Promise<void> {
  say(`${articleAssumptions}\n`);
  const settings = completeSettings(JSON.parse(process.argv[2] ?? "{}"));
  const { fineTune } = settings;
  if (fineTune === null) return;
  const folder = settings.data ?? (await ensureDemoDataset());
  const dataset = await openDataset(folder, settings);
  const { backbone, explanation } = await loadBackbone(settings);
  const { train, validation } = makeSplit(dataset, { by: settings.split, seed: settings.seed });
  const seconds = forecastFineTuning(requireOpen(backbone, "Fine-tuning"), fineTune, {
    train: train.length,
    validation: validation.length,
  });
  backbone.dispose();
  say(
    `${explanation}\nForecast from a short measurement on this machine: training from ${fineTune.from} on, at most ` +
      `${countOf(fineTune.epochs, "epoch")} of ${countOf(train.length, "image")}, takes about ${durationText(seconds)} a run.`,
  );
}

main().catch(endWithReason);
