// Draws a synthetic data set: node scripts/typescript.js demo.ts --folder data/demo
import { join, relative } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { ensureDemoDataset } from "../src/data/demo/demo";
import { dataFolder } from "../src/runtime/paths";
import { onProgress } from "../src/runtime/progress";
import { endWithReason, stopOnInterrupt } from "./ending";
import { say } from "./say";

function wholeNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError("Expected a whole number.");
  return Number(text);
}

interface Flags {
  folder: string;
  patients?: number;
  imagesPerPatient?: number;
  width?: number;
  height?: number;
  seed?: number;
}

async function main(): Promise<void> {
  const program = new Command("demo")
    .description("Draws a synthetic H&E-like data set in BreaKHis naming, unless it is already there.")
    .option("--folder <folder>", "where to put it", join(dataFolder(), "demo"))
    .option("--patients <number>", "invented patients, half of them malignant (24)", wholeNumber)
    .option("--images-per-patient <number>", "images of each patient (10)", wholeNumber)
    .option("--width <pixels>", "width of an image (700)", wholeNumber)
    .option("--height <pixels>", "height of an image (460)", wholeNumber)
    .option("--seed <number>", "another seed gives other patients (2016)", wholeNumber)
    .parse();
  const { folder, ...options } = program.opts<Flags>();

  stopOnInterrupt();
  onProgress(({ task, done, total, unit }) => {
    if (process.stderr.isTTY) process.stderr.write(`\r${task}: ${done} of ${total} ${unit}`);
  });
  await ensureDemoDataset(folder, options);
  if (process.stderr.isTTY) process.stderr.write("\n");
  say(`Synthetic images are in ${relative(process.cwd(), folder) || "."}.`);
}

main().catch(endWithReason);
