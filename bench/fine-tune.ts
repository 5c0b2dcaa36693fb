import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { projectRoot } from "../src/runtime/paths";
import type { BenchContext, Benchmark, Sides } from "./benchmark";
import { inputSize, prepareFineTuning } from "./fine-tune-work";
import { type KerasProcess, startKeras } from "./keras-process";

const batchSize = 16;
const probeSteps = 2;

/** What Keras trains: a step goes through the whole network, or begins with the frozen layers' output. */
type Way = "whole network" | "cached";

interface Answer {
  /** Images a second. */
  value: number;
  megabytes: number;
}

/** What is trained on both sides. */
interface Work {
  from: string;
  way: Way;
  weights: string;
}

const ask = (keras: KerasProcess, work: Work, how: string, steps: number) =>
  keras.ask<Answer>({ ...work, how, steps, batchSize, inputSize });

/** Keras in the quickest of the ways that an expert would try. */
async function prepareKeras(work: Work, steps: number) {
  const keras = startKeras("fine_tune.py");
  const { ways } = await keras.ask<{ ways: string[] }>({ way: work.way });
  let best = { how: "", speed: 0 };
  for (const how of ways) {
    const { value: speed } = await ask(keras, work, how, probeSteps);
    if (speed > best.speed) best = { how, speed };
  }
  const { how } = best;
  await ask(keras, work, how, probeSteps);
  return {
    name: `Keras, ${how}`,
    run: async () => (await ask(keras, work, how, steps)).value,
    close: keras.close,
  };
}

async function prepareSpeed(
  { resnet50Weights }: BenchContext,
  from: string,
  way: Way,
  steps: number,
): Promise<Sides> {
  const weights = await resnet50Weights();
  const keras = await prepareKeras({ from, way, weights }, steps);
  const work = await prepareFineTuning(weights, from, batchSize);
  work.run(1);
  return {
    baselineName: keras.name,
    ours: async () => work.run(steps),
    baseline: keras.run,
    async close() {
      work.dispose();
      await keras.close();
    },
  };
}

/** Peak memory of a process that does nothing else, on either side. */
async function prepareMemory({ resnet50Weights }: BenchContext, from: string, steps: number): Promise<Sides> {
  const weights = await resnet50Weights();
  const root = projectRoot();
  const loader = join(root, "scripts", "load-typescript.js");
  const program = join(root, "bench", "fine-tune-work.ts");
  return {
    baselineName: "Keras, tf.function",
    async ours() {
      const args = ["-r", loader, program, weights, from, String(batchSize), String(steps)];
      return Number((await promisify(execFile)(process.execPath, args, { cwd: root })).stdout);
    },
    async baseline() {
      const keras = startKeras("fine_tune.py");
      try {
        return (await ask(keras, { from, way: "whole network", weights }, "tf.function", steps)).megabytes;
      } finally {
        await keras.close();
      }
    },
    close: async () => undefined,
  };
}

/**
 * Training ResNet50's last stage, or all of it, with the head, in batches of 16. Our side takes the frozen stages'
 * activations from the cache's half precision; Keras does so too, or goes through everything as everyone does.
 */
export const fineTuneBenchmarks: Benchmark[] = [
  {
    name: "Fine-tune conv5, against the whole network at each step",
    unit: "images/s",
    goal: 2.5,
    prepare: (context) => prepareSpeed(context, "conv5", "whole network", 10),
  },
  {
    name: "Fine-tune conv5, against activations cached the same way",
    unit: "images/s",
    goal: 1,
    prepare: (context) => prepareSpeed(context, "conv5", "cached", 10),
  },
  {
    name: "Fine-tune the whole network",
    unit: "images/s",
    goal: 1,
    prepare: (context) => prepareSpeed(context, "all", "whole network", 4),
  },
  {
    name: "Fine-tune the whole network, peak memory",
    unit: "MB",
    goal: 1,
    prepare: (context) => prepareMemory(context, "all", 2),
  },
];
