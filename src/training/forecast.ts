import type { OpenBackbone } from "../model/backbones/architecture";
import { runStages } from "../model/backbones/stages";
import { buildHead } from "../model/classifier/head";
import { stageIndex } from "../model/features/activations";
import type { FineTuneSettings } from "../runtime/settings";
import { tf } from "../runtime/tensorflow";
import { createFineTuningStep } from "./fine-tuning/fine-tuning-step";

/** Images of the measured batch: enough to be typical, few enough to be quick. */
const measuredImages = 8;

function secondsOf(work: () => void): number {
  const startedAt = performance.now();
  work();
  return (performance.now() - startedAt) / 1000;
}

/**
 * Estimates how long fine-tuning will take on this machine, by measuring a step and a pass of a few black images.
 *
 * @param images - How many each part has.
 * @returns Seconds, for all epochs and the frozen stages' activations; without what is in the cache.
 */
export function forecastFineTuning(
  backbone: OpenBackbone,
  { from, epochs }: Pick<FineTuneSettings, "from" | "epochs">,
  images: { train: number; validation: number },
): number {
  const frozen = stageIndex(backbone, from);
  const { inputSize, staged, featureWidth } = backbone;
  const stages = staged.stages.slice(frozen);
  const head = buildHead({ inputs: featureWidth, hiddenUnits: [], classCount: 2, seed: 0 });
  const pass = (): tf.Tensor4D =>
    tf.tidy(() => {
      const pixels = tf.zeros<tf.Rank.R4>([measuredImages, inputSize, inputSize, 3], "int32");
      return runStages(staged.stages.slice(0, frozen), staged.prepare(pixels));
    });
  const input = pass();
  const [, ...inputShape] = input.shape;
  const step = createFineTuningStep(stages, head, {
    stageLearningRates: stages.map(() => 0),
    headLearningRate: 0,
    l2: 0,
    inputShape,
    masked: false,
  });
  const labels = tf.zeros<tf.Rank.R1>([measuredImages], "int32");
  const shares = tf.fill<tf.Rank.R2>([measuredImages, 1], 1 / measuredImages);
  const learn = () => step.learn({ input, labels, shares, masks: [] }, 1).dispose();
  const score = () => {
    const logits = step.logits(input);
    logits.dataSync();
    logits.dispose();
  };
  try {
    // The first time prepares what later ones find ready.
    learn();
    score();
    const [learning, scoring] = [secondsOf(learn), secondsOf(score)];
    const freezing = frozen === 0 ? 0 : secondsOf(() => pass().dispose());
    const epoch = (learning * images.train + scoring * images.validation) / measuredImages;
    return epochs * epoch + ((images.train + images.validation) * freezing) / measuredImages;
  } finally {
    step.dispose();
    tf.dispose([input, labels, shares]);
  }
}
