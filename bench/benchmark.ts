import { largest, smallest } from "../src/runtime/many";
import { median } from "../src/runtime/percentile";
import type { Before } from "./before";

/** Something that is measured on both sides, in turn, on the same machine and the same data. */
export interface Benchmark {
  /** For example "Retrain the head, batch 32". */
  name: string;
  /** What the numbers count. Of seconds and bytes less is better, of anything a second more. */
  unit: "s" | "images/s" | "MB";
  /** The ratio to be reached; above 1 we are better. */
  goal: number;
  /** Rounds where the usual number would take too long. */
  mostRounds?: number;
  /** Makes both sides ready; nothing of it is timed. */
  prepare(context: BenchContext): Promise<Sides>;
}

/** What all benchmarks are given. */
export interface BenchContext {
  /** Path of ResNet50's weights; fetched where none are given. */
  resnet50Weights(): Promise<string>;
  /** This project as it was, set up beside; throws where none was given. */
  before(): Before;
  /** Waits for a moment at which nothing else keeps the processor busy; called before each measurement. */
  waitUntilIdle(): Promise<void>;
}

/** Both sides of a benchmark, ready to run as often as is asked. */
export interface Sides {
  /** What the other side is, in a few words: the best of what an expert would write. */
  baselineName: string;
  /** Runs once and returns the number, in the benchmark's unit. */
  ours(): Promise<number>;
  baseline(): Promise<number>;
  /** What else is to be known, after the last round. */
  note?(): string;
  close(): Promise<void>;
}

/** A benchmark's outcome, as it stands in results.json. */
export interface BenchmarkResult {
  name: string;
  /** Median. */
  ours: number;
  /** Median. */
  baseline: number;
  baselineName: string;
  unit: string;
  /** Median of the rounds' ratios; above 1 we are better. */
  ratio: number;
  ratioMin: number;
  ratioMax: number;
  goal: number;
  rounds: number;
  note?: string;
  /** Processor and versions, for example "AMD EPYC, 2 cores, TensorFlow 2.21.0, Keras 3.15.1". */
  machine?: string;
}

/**
 * Sums rounds up. Each round's ratio is taken by itself, so that a machine that is busy for a while slows
 * both sides of it down and leaves the ratio alone.
 */
export function summarizeRounds(
  benchmark: Pick<Benchmark, "name" | "unit" | "goal">,
  baselineName: string,
  rounds: readonly { ours: number; baseline: number }[],
): BenchmarkResult {
  const { name, unit, goal } = benchmark;
  const moreIsBetter = unit.endsWith("/s");
  const ratios = rounds.map(({ ours, baseline }) => (moreIsBetter ? ours / baseline : baseline / ours));
  return {
    name,
    ours: median(rounds.map(({ ours }) => ours)),
    baseline: median(rounds.map(({ baseline }) => baseline)),
    baselineName,
    unit,
    ratio: median(ratios),
    ratioMin: smallest(ratios),
    ratioMax: largest(ratios),
    goal,
    rounds: rounds.length,
  };
}

/** Runs both sides in turn; who begins changes from round to round. */
export async function runBenchmark(
  benchmark: Benchmark,
  roundCount: number,
  context: BenchContext,
): Promise<BenchmarkResult> {
  const sides = await benchmark.prepare(context);
  const rounds: { ours: number; baseline: number }[] = [];
  const alone = async (side: () => Promise<number>): Promise<number> => {
    await context.waitUntilIdle();
    return side();
  };
  try {
    for (let round = 0; round < Math.min(roundCount, benchmark.mostRounds ?? roundCount); round++) {
      if (round % 2 === 0) {
        const ours = await alone(sides.ours);
        rounds.push({ ours, baseline: await alone(sides.baseline) });
      } else {
        const baseline = await alone(sides.baseline);
        rounds.push({ ours: await alone(sides.ours), baseline });
      }
    }
    const note = sides.note?.();
    const result = summarizeRounds(benchmark, sides.baselineName, rounds);
    return note === undefined ? result : { ...result, note };
  } finally {
    await sides.close();
  }
}
