import type { Dataset } from "../data/dataset";
import type { Split } from "../data/split/split";
import { type Backbone, loadBackbone } from "../model/backbones/backbone";
import type { Classifier } from "../model/classifier/classifier";
import type { Features } from "../model/features/features";
import { extractTreated, treatmentOfRun } from "../model/features/treatment";
import { refusal } from "../runtime/refusal";
import type { Settings } from "../runtime/settings";

/** A backbone that has learned from no patient, its features, and a sentence where it is not the classifier's own. */
export interface FrozenFeatures {
  backbone: Backbone;
  features: Features;
  /** Empty where the classifier's backbone is frozen anyway. */
  note: string;
}

/**
 * Features for cross-validation and the leakage audit, which hold patients out one after the other: a backbone that was
 * fine-tuned has learned from some of them, so its features would tell. Then those of the frozen one are taken.
 *
 * @param features - The classifier's own.
 * @param settings - Of the run, which name the backbone.
 * @returns The caller disposes of the backbone, even where it is the classifier's: a second time does no harm.
 */
export async function frozenFeatures(
  dataset: Dataset,
  split: Split,
  classifier: Classifier,
  features: Features,
  settings: Pick<Settings, "backbone" | "weights" | "inputSize" | "augmentation">,
): Promise<FrozenFeatures> {
  const { fineTuned, name } = classifier.backbone;
  if (fineTuned === undefined) return { backbone: classifier.backbone, features, note: "" };
  const { backbone } = await loadBackbone({ ...settings, backbone: name });
  try {
    if (backbone.weights.sha256 !== fineTuned.base.sha256) {
      throw refusal(
        `The backbone was fine-tuned from the weights ${fineTuned.base.name} (SHA-256 ${fineTuned.base.sha256}), found ${backbone.weights.name}. Give the path of the right file as \`weights\`.`,
      );
    }
    const treatment = treatmentOfRun(classifier, settings, split);
    return {
      backbone,
      features: await extractTreated(dataset, backbone, treatment),
      note: `Everything from ${fineTuned.from} on has learned from the training patients. So the leakage audit and the cross-validation below take the features of the backbone as it was before: they judge the recipe without fine-tuning.`,
    };
  } catch (error) {
    backbone.dispose();
    throw error;
  }
}
