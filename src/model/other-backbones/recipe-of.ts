import { join } from "node:path";
import { rangeRefusal, refusal } from "../../runtime/refusal";
import type { BackboneDetails } from "../../runtime/settings";
import type { BackboneRecipe, NetworkFormat } from "../backbones/recipe";
import { ownFile } from "./details-files";
import { type FoundNetwork, type OpenedNetwork, shapeText, type TensorFacts } from "./network";
import { poolingsOf } from "./pooling";

/** What a network and everybody who says something of it know together. */
export interface KnownDetails {
  found: Pick<FoundNetwork, "name" | "folder">;
  network: Pick<OpenedNetwork, "input" | "outputs">;
  format: NetworkFormat;
  /** The settings' first, then the files'. */
  said: BackboneDetails;
  /** The setting of this name, which goes before what files say; null where it is not set. */
  inputSize: number | null;
}

const isChannels = (input: TensorFacts, axis: number): boolean =>
  input.shape[axis] === 3 ||
  (input.shape[axis] === null && /^(?:num_)?channels?$/i.test(input.axes?.[axis] ?? ""));

/** The order of the input's axes; null where it does not tell. */
function layoutOf(input: TensorFacts): BackboneRecipe["layout"] | null {
  const [planar, interleaved] = [isChannels(input, 1), isChannels(input, 3)];
  if (planar === interleaved) return null;
  return planar ? "NCHW" : "NHWC";
}

/** @throws Error if it takes something else than images. */
function checkInput({ found, network: { input } }: KnownDetails): void {
  if (input.type !== "float32" || input.shape.length !== 4) {
    throw refusal(
      `A backbone takes images as float32, [n, 3, height, width] or [n, height, width, 3], and ${found.name} takes ${input.type} of shape ${shapeText(input.shape)} as "${input.name}": export it so.`,
    );
  }
}

/** The size that the graph itself is fixed to; null where it takes several. */
function fixedSize(input: TensorFacts, layout: BackboneRecipe["layout"], name: string): number | null {
  const [height, width] = layout === "NCHW" ? input.shape.slice(2) : input.shape.slice(1);
  if (height === null || height === undefined || width === null || width === undefined)
    return height ?? width ?? null;
  if (height === width) return height;
  throw refusal(
    `${name} takes images of ${width} × ${height} pixels, and here all are stretched to a square: export it for one.`,
  );
}

function sizeOf(known: KnownDetails, layout: BackboneRecipe["layout"]): number | undefined {
  const { found, network, said, inputSize } = known;
  const fixed = fixedSize(network.input, layout, found.name);
  const wanted = inputSize ?? said.inputSize;
  if (fixed !== null && wanted !== undefined && wanted !== fixed) {
    throw rangeRefusal(
      `${found.name} takes images of ${fixed} × ${fixed} pixels and no others; ${inputSize === null ? "what is said of it asks" : "inputSize asks"} for ${wanted}.`,
    );
  }
  return fixed ?? wanted;
}

/** The output that is meant: the one that is named, or the only one; undefined where that is left open. */
function outputOf({ found, network: { outputs }, said }: KnownDetails): TensorFacts | undefined {
  if (said.output === undefined) return outputs.length === 1 ? outputs[0] : undefined;
  const named = outputs.find(({ name }) => name === said.output);
  if (named !== undefined) return named;
  throw rangeRefusal(
    `${found.name} has no output "${said.output}"; it has ${outputs.map(({ name }) => name).join(", ")}.`,
  );
}

/** What an output can be made one row by; the only way where there is no other. */
function poolingOf({ found, said }: KnownDetails, output: TensorFacts | undefined) {
  if (output === undefined) return { pooling: said.pooling, choices: [] };
  if (output.type !== "float32") {
    throw refusal(
      `${found.name} gives "${output.name}" as ${output.type}; features are float32: export it so.`,
    );
  }
  const choices = poolingsOf(output.shape.length);
  if (choices.length === 0) {
    throw refusal(
      `${found.name} gives "${output.name}" of shape ${shapeText(output.shape)}, of which no row of features can be made: name another output.`,
    );
  }
  if (said.pooling !== undefined && !choices.includes(said.pooling)) {
    throw rangeRefusal(
      `The pooling "${said.pooling}" does not fit "${output.name}" of ${found.name}, of shape ${shapeText(output.shape)}, which takes ${choices.join(", ")}.`,
    );
  }
  return { pooling: said.pooling ?? (choices[0] === "none" ? "none" : undefined), choices };
}

const needsPrefix = (pooling: BackboneDetails["pooling"]): boolean => pooling?.includes("patches") ?? false;

/** What is still to be said, each with what it takes. */
function missingOf(known: KnownDetails, details: BackboneDetails, choices: readonly string[]): string[] {
  const outputs = known.network.outputs.map(({ name, shape }) => `${name} ${shapeText(shape)}`);
  const hints: [keyof BackboneDetails, string][] = [
    ["layout", "NCHW or NHWC"],
    ["inputSize", "pixels"],
    ["channels", "RGB or BGR"],
    ["scale", "1, or 0.00392156862745098 for 1/255"],
    ["mean", "three numbers"],
    ["deviation", "three numbers"],
    ["interpolation", "bicubic or bilinear"],
    ["output", `one of ${outputs.join(", ")}`],
    ["pooling", choices.length === 0 ? "how it becomes one row" : choices.join(", ")],
    ...(needsPrefix(details.pooling)
      ? [["prefixTokens", "tokens before those of the patches"] as [keyof BackboneDetails, string]]
      : []),
  ];
  return hints.flatMap(([name, hint]) => (details[name] === undefined ? [`"${name}" (${hint})`] : []));
}

/**
 * Puts together how images go into a network and features come out of it: what the graph tells, then the settings, then
 * the files beside it. Nothing is guessed.
 *
 * @throws Error that names everything that is not said, and where to write it; or what contradicts the graph.
 */
export function completeRecipe(known: KnownDetails): BackboneRecipe {
  checkInput(known);
  const { found, network, format, said } = known;
  const told = layoutOf(network.input);
  if (told !== null && said.layout !== undefined && said.layout !== told) {
    throw rangeRefusal(
      `${found.name} takes ${told}, by its own graph; what is said of it asks for ${said.layout}.`,
    );
  }
  const layout = told ?? said.layout;
  const output = outputOf(known);
  const { pooling, choices } = poolingOf(known, output);
  const inputSize = layout === undefined ? (known.inputSize ?? said.inputSize) : sizeOf(known, layout);
  const prefixTokens = said.prefixTokens ?? (needsPrefix(pooling) ? undefined : 0);
  const details: BackboneDetails = {
    ...said,
    layout,
    inputSize,
    output: output?.name,
    pooling,
    prefixTokens,
  };
  const missing = missingOf(known, details, choices);
  if (missing.length === 0) return { ...(details as BackboneRecipe), format };
  throw refusal(
    `How ${found.name} makes features of an image is not said: write ${missing.join(", ")} into ${join(found.folder, ownFile)}, or into the setting backboneDetails (docs/other-backbones.md).`,
  );
}
