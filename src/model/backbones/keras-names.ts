/** Kinds of weights as Keras 1 called them, at the end of "res2a_branch2a_W_1:0" and the like. */
const oldKinds: readonly (readonly [RegExp, string])[] = [
  [/_running_mean(?:_\d+)?$/, "moving_mean"],
  [/_running_(?:std|variance)(?:_\d+)?$/, "moving_variance"],
  [/_gamma(?:_\d+)?$/, "gamma"],
  [/_beta(?:_\d+)?$/, "beta"],
  [/_W(?:_\d+)?$/, "kernel"],
  [/_b(?:_\d+)?$/, "bias"],
];

/** "kernel" of "conv1_conv/kernel:0" and of "conv1/conv1_W_1:0". */
function kindOf(weight: string): string {
  const last = weight.slice(weight.lastIndexOf("/") + 1).replace(/:\d+$/, "");
  return oldKinds.find(([pattern]) => pattern.test(last))?.[1] ?? last;
}

const branchNumbers: Readonly<Record<string, number>> = { "1": 0, "2a": 1, "2b": 2, "2c": 3 };

/** ResNet50's layers as Keras named them before 2019 ("res2a_branch2a", "bn2a_branch2a"), by today's names. */
function todaysLayer(layer: string): string {
  if (layer === "conv1") return "conv1_conv";
  if (layer === "bn_conv1") return "conv1_bn";
  const old = /^(res|bn)([2-5])([a-f])_branch(1|2[abc])$/.exec(layer);
  if (old === null) return layer;
  const [, kind, stage, block, branch] = old as unknown as [string, string, string, string, string];
  const number = block.charCodeAt(0) - "a".charCodeAt(0) + 1;
  return `conv${stage}_block${number}_${branchNumbers[branch]}_${kind === "res" ? "conv" : "bn"}`;
}

/**
 * Names a weight by its own layer and kind, for example "conv1_conv/kernel".
 *
 * @param group - The layer that lists it: its own, or a whole network that its layer belongs to.
 * @param weight - As Keras lists it, for example "conv1_conv/kernel:0" or "resnet50/conv1_conv/kernel".
 *
 * @example
 * nameOfWeight("res2a_branch2a", "res2a_branch2a_W_1:0"); // "conv2_block1_1_conv/kernel"
 */
export function nameOfWeight(group: string, weight: string): string {
  const folders = weight.split("/").slice(0, -1);
  const layer = folders[folders.length - 1] ?? group;
  return `${todaysLayer(layer)}/${kindOf(weight)}`;
}
