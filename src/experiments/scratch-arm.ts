import { type Dataset, imageFile } from "../data/dataset";
import { decodeImage } from "../data/images/images";
import type { PatientSubset } from "../data/split/patient-subset";
import type { OpenBackbone } from "../model/backbones/backbone";
import { startFromScratch } from "../model/backbones/random-start";
import { buildClassifier, predictImages } from "../model/classifier/classifier";
import { buildHead } from "../model/classifier/head";
import { createRandom } from "../runtime/random";
import { refusal } from "../runtime/refusal";
import type { FineTuneSettings, Settings } from "../runtime/settings";
import { tf } from "../runtime/tensorflow";
import { fineTune } from "../training/fine-tuning/fine-tune";
import type { LearningArm } from "./learning-curves";

/** Images by which a network that begins from scratch is scaled. */
const scalingImages = 16;

/** What a network that begins from scratch learns with. */
export interface ScratchOptions {
  dataset: Dataset;
  /** Of the shape wanted; nothing of its weights is used. */
  backbone: OpenBackbone;
  settings: Settings;
  /** How the whole network is trained; a network that knows nothing takes larger steps than fine-tuning does. */
  training?: Partial<Omit<FineTuneSettings, "from">>;
}

// Five times larger steps, as for a head alone, end in one answer for everything without BatchNorm to hold them.
const defaultTraining = {
  epochs: 12,
  batchSize: 32,
  accumulation: 1,
  learningRate: 2e-4,
  headLearningRate: 2e-4,
};

async function begin({ dataset, backbone }: ScratchOptions, { train }: PatientSubset, seed: number) {
  const { inputSize } = backbone;
  const rows = createRandom(seed).fork("images to scale by").shuffle(train).slice(0, scalingImages);
  const decoded = await Promise.all(
    rows.map((row) => decodeImage(imageFile(dataset, dataset.records[row]!), inputSize)),
  );
  const images = tf.tensor4d(
    Int32Array.from(Buffer.concat(decoded)),
    [rows.length, inputSize, inputSize, 3],
    "int32",
  );
  try {
    return startFromScratch(backbone, images, seed);
  } finally {
    images.dispose();
  }
}

/** An arm that trains a whole network from random weights, without anything that was learned elsewhere. */
export function scratchArm(name: string, options: ScratchOptions): LearningArm {
  const { dataset, backbone, settings, training } = options;
  const classCount = dataset.classes.length;
  return {
    name,
    async learn(subset, test, seed) {
      const start = await begin(options, subset, seed);
      try {
        const { hiddenUnits } = settings;
        const tuned = await fineTune({
          ...defaultTraining,
          stageDecay: 1,
          patience: 1000,
          ...training,
          from: "all",
          dataset,
          backbone: start,
          head: buildHead({ inputs: backbone.featureWidth, hiddenUnits, classCount, seed }),
          split: { ...subset, test },
          settings: { ...settings, seed },
          showProgress: false,
        });
        try {
          if (tuned.ended === "interrupted") return null;
          const classifier = buildClassifier({ ...tuned, dataset, settings, runId: null });
          const files = test.map((row) => imageFile(dataset, dataset.records[row]!));
          const { predictions, skipped } = await predictImages(classifier, files);
          if (skipped[0]) throw refusal(`${skipped[0].file} can't be used: ${skipped[0].reason}.`);
          return Float32Array.from(predictions.flatMap(({ probabilities }) => probabilities));
        } finally {
          tuned.backbone.dispose();
        }
      } finally {
        start.dispose();
      }
    },
  };
}
