// Measures side by side with Python Keras: npm run bench, or npm run bench -- retrain --rounds 3
import { Command, InvalidArgumentError } from "commander";
import { describeDevice } from "../src/runtime/device";
import { type BenchmarkResult, runBenchmark } from "./benchmark";
import { formatResults, resultsPath, saveResults } from "./results-file";
import { retrainBenchmarks } from "./retrain";

const benchmarks = [...retrainBenchmarks];

function positiveNumber(text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new InvalidArgumentError("Expected a whole number above 0.");
  return Number(text);
}

async function main(): Promise<void> {
  const program = new Command("bench")
    .description("Measures side by side with Keras; above 1 this project is better.")
    .argument("[words...]", "only benchmarks whose names contain one of these words")
    .option("--rounds <number>", "how often each side runs", positiveNumber, 5)
    .parse();
  const { rounds } = program.opts<{ rounds: number }>();
  const words = program.args.map((word) => word.toLowerCase());
  const chosen = benchmarks.filter(
    ({ name }) => words.length === 0 || words.some((word) => name.toLowerCase().includes(word)),
  );
  if (chosen.length === 0) {
    const names = benchmarks.map(({ name }) => name).join("\n");
    throw new Error(`No benchmark's name contains ${words.join(" or ")}. There are:\n${names}`);
  }
  const { kind, name, cores, tensorflowVersion } = describeDevice();
  console.log(`TensorFlow ${tensorflowVersion} on ${name} (${kind}), ${cores} cores; ${rounds} rounds each`);
  const results: BenchmarkResult[] = [];
  for (const benchmark of chosen) {
    console.log(`… ${benchmark.name}`);
    results.push(await runBenchmark(benchmark, rounds));
    await saveResults(results);
  }
  console.log(`\n${formatResults(results)}\n\nAbove 1 this project is better. Written to ${resultsPath}`);
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
