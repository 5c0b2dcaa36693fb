import type { Dataset } from "../data/record";
import type { Backbone } from "../model/backbones/architecture";
import type { Features } from "../model/features/features";
import { extractTreated, fitTreatment, type TreatmentSettings } from "../model/features/treatment";
import { refusal } from "../runtime/refusal";

/** Features for heads that learn from these records: where a fold's stains are normalised, they are its own. */
export type FeaturesFor = (dataset: Dataset, train: readonly number[]) => Promise<Features>;

async function refuse(): Promise<never> {
  throw refusal(
    "This run's stains are normalised to its training part, and a head that learns from other images needs features of its own: all of them computed once more for each head. Set refitStain: true to do that; npm run evaluate -- --stain normalised cross-validates too.",
  );
}

/**
 * How to get features that are normalised to the stains of whoever is learned from, so that nobody who is tested on
 * has a say in it. Each training part needs its own, computed once and then found in the cache.
 *
 * @param backbone - Must not be disposed of before the last features are computed.
 * @param wanted - False where that is not to be paid: then every head that asks is refused, with how to change it.
 * @returns Nothing where stains are left as they are: then all training parts share their features.
 *
 * @example
 * await crossValidate({ dataset, features, settings, ...refitFeatures(settings, backbone) });
 */
export function refitFeatures(
  settings: TreatmentSettings,
  backbone: Backbone,
  wanted = true,
): { featuresFor?: FeaturesFor } {
  if (settings.stain === "as-is") return {};
  if (!wanted) return { featuresFor: refuse };
  const { inputSize } = backbone;
  return {
    featuresFor: async (dataset, train) =>
      extractTreated(dataset, backbone, await fitTreatment(dataset, settings, { train, inputSize })),
  };
}
