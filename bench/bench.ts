// Measures side by side with Python Keras: npm run bench, or npm run bench -- retrain --rounds 3
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { endWithReason } from "../scripts/ending";
import { asLongAsItTakes, locateResnet50 } from "../src/model/backbones/weights-location";
import { describeDevice } from "../src/runtime/device/device";
import { projectRoot } from "../src/runtime/paths";
import { requireBefore } from "./before";
import { type BenchContext, type BenchmarkResult, runBenchmark } from "./benchmark";
import { featureBenchmarks } from "./features";
import { fineTuneBenchmarks } from "./fine-tune";
import { waitForIdleMachine } from "./idle-machine";
import { importBenchmarks } from "./import-cell";
import { oneImageBenchmarks } from "./one-image";
import { programBenchmarks } from "./programs";
import { updateReadme } from "./readme-table";
import { rerunBenchmarks } from "./rerun";
import { formatResults, resultsPath, saveResults } from "./results-file";
import { retrainBenchmarks } from "./retrain";
import { scaleBenchmarks } from "./scale";
import { largeScaleBenchmarks } from "./scale-large";
import { shardBenchmarks } from "./shards";
import { wholeRunBenchmarks } from "./whole-run";

const benchmarks = [
  ...featureBenchmarks,
  ...retrainBenchmarks,
  ...fineTuneBenchmarks,
  ...wholeRunBenchmarks,
  ...rerunBenchmarks,
  ...importBenchmarks,
  ...oneImageBenchmarks,
  ...programBenchmarks,
  ...scaleBenchmarks,
  ...largeScaleBenchmarks,
  ...shardBenchmarks,
];

interface Flags {
  rounds: number;
  weights?: string;
  before?: string;
  readme?: boolean;
}

function positiveNumber(text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new InvalidArgumentError("Expected a whole number above 0.");
  return Number(text);
}

function chooseBenchmarks(words: readonly string[]) {
  const chosen = benchmarks.filter(
    ({ name }) => words.length === 0 || words.some((word) => name.toLowerCase().includes(word.toLowerCase())),
  );
  if (chosen.length === 0) {
    const names = benchmarks.map(({ name }) => name).join("\n");
    throw new Error(`No benchmark's name contains ${words.join(" or ")}. There are:\n${names}`);
  }
  return chosen;
}

function describeMachine(): string {
  const { kind, name, cores, tensorflowVersion } = describeDevice();
  const python = join(projectRoot(), ".venv", "bin", "python");
  const question = "from importlib.metadata import version; print(version('keras'))";
  const keras = execFileSync(python, ["-c", question], { encoding: "utf8" }).trim();
  return `${name} (${kind}), ${cores} cores, TensorFlow ${tensorflowVersion}, Keras ${keras}, Node ${process.versions.node}`;
}

async function findResnet50Weights(given: string | undefined): Promise<string> {
  if (given !== undefined) return given;
  const location = await locateResnet50(null, asLongAsItTakes);
  if (location.found === true) return location.path;
  throw new Error(`ResNet50's weights are not to be had: ${location.reason}. Give a file with --weights.`);
}

async function measure(words: readonly string[], { rounds, weights, before }: Flags): Promise<void> {
  const chosen = chooseBenchmarks(words);
  const context: BenchContext = {
    resnet50Weights: () => findResnet50Weights(weights),
    before: () => requireBefore(before),
    waitUntilIdle: waitForIdleMachine,
  };
  const machine = describeMachine();
  console.log(`${machine}; at most ${rounds} rounds each`);
  const results: BenchmarkResult[] = [];
  for (const benchmark of chosen) {
    console.log(`… ${benchmark.name}`);
    results.push({ ...(await runBenchmark(benchmark, rounds, context)), machine });
    await saveResults(results);
  }
  console.log(`\n${formatResults(results)}\n\nAbove 1 this project is better. Written to ${resultsPath}`);
}

async function main(): Promise<void> {
  const program = new Command("bench")
    .description("Measures side by side with Keras; above 1 this project is better.")
    .argument("[words...]", "only benchmarks whose names contain one of these words")
    .option("--rounds <number>", "how often each side runs", positiveNumber, 5)
    .option("--weights <file>", "ResNet50's weights as Keras saves them; by default those of `npm start`")
    .option("--before <folder>", "a work tree of commit 93302ec, set up; for what is measured against it")
    .option("--readme", "measures nothing: writes the README's table from bench/results.json")
    .parse();
  const flags = program.opts<Flags>();
  if (flags.readme === true) await updateReadme();
  else await measure(program.args, flags);
}

main().catch(endWithReason);
