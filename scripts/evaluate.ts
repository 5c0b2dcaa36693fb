// What holds for a new patient: npm run evaluate -- --data <folder> --backbone resnet50 --weights <file> --repeats 5
import { Command, InvalidArgumentError, Option } from "commander";
import writeFileAtomic from "write-file-atomic";
import { describeDataset, openDataset } from "../src/data/dataset";
import { evaluateDataset, evaluateHoldOut } from "../src/evaluation/evaluation-report";
import { describeEvaluation } from "../src/evaluation/evaluation-text";
import { type BackboneChoice, loadBackbone } from "../src/model/backbone";
import { extractFeatures } from "../src/model/features";
import { requestStop } from "../src/runtime/interruption";
import { onProgress } from "../src/runtime/progress";
import { resolveSettings } from "../src/runtime/settings";

interface Flags {
  data: string;
  backbone: BackboneChoice["backbone"];
  weights?: string;
  inputSize: number;
  magnification?: number;
  folds: number;
  repeats: number;
  auditSeeds: number;
  target: number[];
  seed: number;
  holdOut?: true;
  out?: string;
}

/** What a shell shows for a program that was stopped with Ctrl-C. */
const interruptedExitCode = 130;

function wholeNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError("Expected a whole number.");
  return Number(text);
}

function shares(text: string): number[] {
  const values = text.split(",").map(Number);
  if (!values.every((value) => value > 0 && value <= 1)) {
    throw new InvalidArgumentError("Expected shares above 0 and up to 1, for example 0.95,1.");
  }
  return values;
}

function readCommandLine(): Flags {
  const backbones = ["auto", "resnet50", "efficientnet-lite0"];
  return new Command("evaluate")
    .description("Cross-validates by patient, audits leakage and tabulates triage; prints tables.")
    .requiredOption("--data <folder>", "folder of images")
    .addOption(new Option("--backbone <name>", "network").choices(backbones).default("auto"))
    .option("--weights <file>", "weights as Keras saves them (.h5)")
    .option("--input-size <pixels>", "width and height that the network sees", wholeNumber, 224)
    .option("--magnification <number>", "only images of this magnification", wholeNumber)
    .option("--folds <number>", "folds by patient", wholeNumber, 5)
    .option("--repeats <number>", "divisions into folds", wholeNumber, 1)
    .option(
      "--audit-seeds <number>",
      "splits of each kind in the leakage audit; 0 leaves it out",
      wholeNumber,
      10,
    )
    .option("--target <shares>", "sensitivities to keep in triage", shares, [0.95, 1])
    .option("--seed <number>", "decides folds, splits and first weights", wholeNumber, 1)
    .option("--hold-out", "one split by patient instead, for large data sets")
    .option("--out <file>", "writes all numbers as JSON")
    .parse()
    .opts<Flags>();
}

/** A line for each finished step; what takes minutes should say what it is at. */
function showProgress(): void {
  onProgress(({ task, unit, done, finished }) => {
    if (finished) console.error(`${task}: ${done} ${unit}.`);
  });
}

async function main(): Promise<void> {
  const flags = readCommandLine();
  const { weights = null, inputSize, magnification = null, seed } = flags;
  process.on("SIGINT", requestStop);
  showProgress();
  const dataset = await openDataset(flags.data, { magnification });
  console.log(describeDataset(dataset));
  const { backbone, explanation } = await loadBackbone({ backbone: flags.backbone, weights, inputSize });
  console.log(explanation);
  const features = await extractFeatures(dataset, backbone);
  backbone.dispose();
  const settings = resolveSettings({ seed });
  const targets = flags.target;
  const evaluation = flags.holdOut
    ? await evaluateHoldOut({ dataset, features, settings, targets })
    : await evaluateDataset({ dataset, features, settings, targets, ...flags });
  console.log(describeEvaluation(evaluation));
  if (flags.out !== undefined) await writeFileAtomic(flags.out, `${JSON.stringify(evaluation, null, 2)}\n`);
  if (!evaluation.complete) {
    console.error("Stopped; the numbers are of what was finished.");
    process.exitCode = interruptedExitCode;
  }
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
