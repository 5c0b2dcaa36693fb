// The work of bench/fine-tune.ts on our side; as a program (weights, from, batchSize, steps) it prints a process's peak memory in MB.

import type { OpenBackbone } from "../src/model/backbones/architecture";
import { loadBackbone } from "../src/model/backbones/backbone";
import { runStages } from "../src/model/backbones/stages";
import { buildHead } from "../src/model/classifier/head";
import { stageIndex } from "../src/model/features/activations";
import { decodeFloat16, encodeFloat16 } from "../src/runtime/native/float16";
import { createRandom } from "../src/runtime/random";
import { tf } from "../src/runtime/tensorflow";
import { createFineTuningStep } from "../src/training/fine-tuning/fine-tuning-step";
import { peakMegabytes } from "./peak-memory";

export const inputSize = 224;

/** Steps of fine-tuning, ready to be run. */
export interface FineTuningWork {
  /** Runs so many steps; returns images a second. */
  run(steps: number): number;
  dispose(): void;
}

/** A batch's input as it is kept between epochs, made into a tensor at each step as in `fineTune`. */
function inputOf(backbone: OpenBackbone, frozen: number, batchSize: number): () => tf.Tensor4D {
  const random = createRandom(1);
  const pixels = Int32Array.from({ length: batchSize * inputSize * inputSize * 3 }, () =>
    random.integer(256),
  );
  const shape: [number, number, number, number] = [batchSize, inputSize, inputSize, 3];
  const prepare = () => tf.tidy(() => backbone.staged.prepare(tf.tensor4d(pixels, shape, "int32")));
  if (frozen === 0) return prepare;
  const activations = tf.tidy(() => runStages(backbone.staged.stages.slice(0, frozen), prepare()));
  const bytes = encodeFloat16(activations).slice();
  activations.dispose();
  return () => decodeFloat16(bytes, activations.shape) as tf.Tensor4D;
}

/** Loads ResNet50 and prepares the training of its stages from one on, with the head of the project. */
export async function prepareFineTuning(
  weights: string,
  from: string,
  batchSize: number,
): Promise<FineTuningWork> {
  const { backbone } = await loadBackbone({ backbone: "resnet50", weights, inputSize });
  const frozen = stageIndex(backbone, from);
  const stages = backbone.staged.stages.slice(frozen);
  const head = buildHead({ inputs: 2048, hiddenUnits: [128, 64], classCount: 2, seed: 1 });
  const input = inputOf(backbone, frozen, batchSize);
  const example = input();
  const [, ...inputShape] = example.shape;
  example.dispose();
  const step = createFineTuningStep(stages, head, {
    stageLearningRates: stages.map(() => 3e-5),
    headLearningRate: 3e-4,
    l2: 0,
    inputShape,
    masked: true,
  });
  const labels = tf.tensor1d(Int32Array.from({ length: batchSize }, (_, i) => i % 2));
  const shares = tf.fill<tf.Rank.R2>([batchSize, 1], 1 / batchSize);
  const masks = [128, 64].map((units) => tf.fill<tf.Rank.R2>([batchSize, units], 1.25));
  return {
    run(steps) {
      const startedAt = performance.now();
      for (let i = 0; i < steps; i++) {
        const batch = { input: input(), labels, shares, masks };
        const logits = step.learn(batch, 1);
        logits.dataSync();
        tf.dispose([batch.input, logits]);
      }
      return (steps * batchSize * 1000) / (performance.now() - startedAt);
    },
    dispose() {
      step.dispose();
      tf.dispose([labels, shares, masks]);
      backbone.dispose();
    },
  };
}

if (require.main === module) {
  const [weights = "", from = "all", batchSize = "16", steps = "2"] = process.argv.slice(2);
  prepareFineTuning(weights, from, Number(batchSize)).then((work) => {
    work.run(Number(steps));
    console.log(peakMegabytes());
  });
}
