import type { tf } from "../../runtime/tensorflow";
import {
  checkImageShape,
  type LayerSummary,
  type NetworkOrigin,
  type OpenBackbone,
  withRandomWeights,
} from "./architecture";
import { type Convolution, countParameters, disposeConvolutions, replaceConvolutions } from "./convolutions";
import { freezeNetwork } from "./frozen-network";
import type { NetworkGraph } from "./network-graph";
import type { StagedNetwork } from "./stages";

/** What one architecture says about a network of it, for a backbone to be made of. */
export interface NetworkKind<Network extends object> {
  name: OpenBackbone["name"];
  featureWidth: number;
  convolutionsOf(network: Network): Convolution[];
  /** @returns What `OpenBackbone.activate` does, for images whose shape is right. */
  apply(network: Network, images: tf.Tensor4D): tf.Tensor4D;
  /** The same, step by step, as data. */
  describe(network: Network): NetworkGraph;
  summarise(network: Network, inputSize: number): LayerSummary[];
  stagesOf(network: Network): StagedNetwork;
  /** @returns A copy with random weights in its last stage, and the convolutions that were made for it. */
  randomiseTop(network: Network, seed: number): { network: Network; made: readonly Convolution[] };
}

/**
 * Makes a backbone of a network.
 *
 * @param owned - The convolutions that are freed with it.
 */
export function backboneOf<Network extends object>(
  kind: NetworkKind<Network>,
  network: Network,
  origin: NetworkOrigin,
  inputSize: number,
  owned: readonly Convolution[] = kind.convolutionsOf(network),
): OpenBackbone {
  const { pretrained, fineTuned, ...weights } = origin;
  const frozen = freezeNetwork(() => kind.describe(network), inputSize);
  return {
    name: kind.name,
    weights,
    pretrained,
    inputSize,
    featureWidth: kind.featureWidth,
    layers: kind.summarise(network, inputSize),
    parameterCount: countParameters(kind.convolutionsOf(network)),
    embed: frozen.embed,
    embedPixels: frozen.embedPixels,
    ...(fineTuned === undefined ? {} : { fineTuned }),
    activate(images) {
      checkImageShape(images.shape, inputSize);
      return kind.apply(network, images);
    },
    describe: () => kind.describe(network),
    withRandomTop(seed) {
      const { network: random, made } = kind.randomiseTop(network, seed);
      return backboneOf(kind, random, withRandomWeights(origin, seed), inputSize, made);
    },
    staged: kind.stagesOf(network),
    withWeights(changed, tuned) {
      const { network: other, made } = replaceConvolutions(network, changed);
      return backboneOf(kind, other, { ...tuned, pretrained: false }, inputSize, made);
    },
    dispose() {
      frozen.dispose();
      disposeConvolutions(owned);
    },
  };
}
