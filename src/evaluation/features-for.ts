import type { Dataset } from "../data/dataset-value";
import type { Backbone } from "../model/architecture";
import type { Features } from "../model/features";
import { extractTreated, fitTreatment, type TreatmentSettings } from "../model/treatment";

/** Features for heads that learn from these records: where a fold's stains are normalised, they are its own. */
export type FeaturesFor = (dataset: Dataset, train: readonly number[]) => Promise<Features>;

/**
 * How to get features that are normalised to the stains of whoever is learned from, so that nobody who is tested on
 * has a say in it. Each training part needs its own, computed once and then found in the cache.
 *
 * @param backbone - Must not be disposed of before the last features are computed.
 * @returns Nothing where stains are left as they are: then all training parts share their features.
 *
 * @example
 * await crossValidate({ dataset, features, settings, ...refitFeatures(settings, backbone) });
 */
export function refitFeatures(
  settings: TreatmentSettings,
  backbone: Backbone,
): { featuresFor?: FeaturesFor } {
  if (settings.stain === "as-is") return {};
  const { inputSize } = backbone;
  return {
    featuresFor: async (dataset, train) =>
      extractTreated(dataset, backbone, await fitTreatment(dataset, settings, { train, inputSize })),
  };
}
