import { resolve } from "node:path";
import type { Dataset } from "../data/record";
import { filesOfSplit, type Split } from "../data/split/split";
import { requireOpen } from "../model/backbones/architecture";
import { type Backbone, loadBackbone, type OpenBackbone, settingsOf } from "../model/backbones/backbone";
import { type Classifier, classifierTransform, loadClassifier } from "../model/classifier/classifier";
import type { Features } from "../model/features/features";
import type { Treatment } from "../model/features/treatment";
import { refusal } from "../runtime/refusal";
import type { FineTuneSettings, Settings } from "../runtime/settings";
import { type FineTuning, fineTune } from "../training/fine-tuning/fine-tune";
import type { SavedRun } from "../training/runs/run-log";
import { openRun } from "./runs/open-run";
import type { RunMaterial } from "./runs/run-material";

/** A trained classifier as the base for other images. */
export interface TransferBase {
  classifier: Classifier;
  /** Its network as it was before anything was trained in it. */
  original: OpenBackbone;
  /** Its network with stages that were trained on the run's images. */
  tuned: Backbone;
  /** What `tuned` is, in a sentence. */
  explanation: string;
  /** Frees all of them. */
  dispose(): void;
}

async function tuneOnRun(
  run: SavedRun,
  classifier: Classifier,
  options: Partial<FineTuneSettings>,
): Promise<FineTuning> {
  const { settings } = run;
  const { dataset, split } = await openRun(run);
  const { head } = classifier;
  const backbone = requireOpen(classifier.backbone, "Fine-tuning");
  const transform = classifierTransform(classifier);
  return fineTune({ from: "last", ...options, dataset, backbone, head, split, settings, transform });
}

/**
 * Loads a run's classifier as the base for other images, and fine-tunes its network on the run's own images if that
 * was not done when it was trained.
 *
 * @param options - How it is fine-tuned, if it has to be; by default its last stage.
 * @throws Error if the run's classifier, its weights or its images are not there any more.
 */
export async function prepareTransfer(
  run: SavedRun,
  options: Partial<FineTuneSettings> = {},
): Promise<TransferBase> {
  const { backbone: name } = run.summary;
  const { weights, inputSize, backbone: asked } = run.settings;
  const { backbone: loaded } = await loadBackbone({ backbone: asked, weights, inputSize });
  try {
    const original = requireOpen(loaded, "Fine-tuning");
    const classifier = await loadClassifier(run.classifierFolder, { backbone: original });
    const { fineTuned } = classifier.backbone;
    if (fineTuned !== undefined) {
      const tuned = classifier.backbone;
      const explanation = `Run ${run.id} has trained its network from ${fineTuned.from} on.`;
      return { classifier, original, tuned, explanation, dispose: () => disposeAll([tuned, original]) };
    }
    const { backbone: tuned, from, bestEpoch, history } = await tuneOnRun(run, classifier, options);
    const explanation =
      bestEpoch === 0
        ? `Fine-tuning ${name} from ${from} on, on the images of run ${run.id}, made it no better for its validation patients, so its weights stayed as they were.`
        : `${name} was fine-tuned from ${from} on, on the images of run ${run.id}: ${history.length} epochs, of which the ${bestEpoch}. was best for its validation patients.`;
    return { classifier, original, tuned, explanation, dispose: () => disposeAll([tuned, original]) };
  } catch (error) {
    loaded.dispose();
    throw error;
  }
}

/** In the order given: those first that share weights of later ones. */
function disposeAll(backbones: readonly Backbone[]): void {
  for (const backbone of backbones) backbone.dispose();
}

/**
 * Refuses a base that has seen images of the other set: it would be compared with what it has learned by heart.
 *
 * @throws Error that counts them and says which base to take instead, where that is known.
 */
export async function refuseSameImages(
  base: Pick<SavedRun, "id" | "splitFile" | "summary">,
  other: Pick<Dataset, "records">,
): Promise<void> {
  const seen = new Set((await filesOfSplit(base.splitFile)).map(({ sha256 }) => sha256));
  const same = other.records.filter(({ sha256 }) => seen.has(sha256)).length;
  if (same === 0) return;
  const before = base.summary.base;
  const remedy =
    before === undefined
      ? "Choose another folder as `data`, or the run of another set as `baseRun`"
      : `It is a run of this notebook, which began with ${before.id}: set \`baseRun\` to "${before.id}", or choose another folder as \`data\``;
  throw refusal(
    `The base, run ${base.id}, was trained or tested on ${same} of the other set's ${other.records.length} images, so it would be asked what it knows by heart. ${remedy}.`,
  );
}

/** What a classifier for the other set is trained on: features of the base's fine-tuned network. */
export function transferMaterial(
  base: SavedRun,
  transfer: TransferBase,
  other: {
    settings: Settings;
    folder: string;
    dataset: Dataset;
    split: Split;
    features: Features;
    treatment: Treatment;
  },
): RunMaterial {
  const { settings, folder, dataset, split, features, treatment } = other;
  const { tuned: backbone, explanation } = transfer;
  return {
    settings: { ...settings, data: resolve(folder), ...settingsOf(backbone) },
    ...{ dataset, split, treatment, features, backbone, explanation },
    description: "",
    base: { id: base.id, dataFingerprint: base.summary.dataFingerprint ?? null },
  };
}

type Question = Pick<Classifier, "classes" | "positiveClass">;

/** Whether two sets ask the same: the same classes, in the same order, of which the same one is looked for. */
export function sameTask(one: Question, other: Question): boolean {
  return (
    one.positiveClass === other.positiveClass &&
    one.classes.length === other.classes.length &&
    one.classes.every((name, label) => name === other.classes[label])
  );
}

/** Says what is asked of the base and of the other set. */
export function describeTransfer(base: Question, other: Question): string {
  const list = ({ classes }: Question) => classes.join(", ");
  return sameTask(base, other)
    ? `Both sets ask the same: ${list(base)}.`
    : `The base tells ${list(base)} apart, the other set ${list(other)}: other questions, so only the features can be taken over.`;
}
