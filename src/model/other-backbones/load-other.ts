import { readdirSync, type Stats, statSync } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { dirname, extname, join, resolve } from "node:path";
import { refusal } from "../../runtime/refusal";
import type { BackboneDetails } from "../../runtime/settings";
import { nameSome } from "../../runtime/words";
import type { Backbone } from "../backbones/architecture";
import type { BackboneRecipe, NetworkFormat } from "../backbones/recipe";
import { readDetails } from "./details-files";
import type { FoundNetwork } from "./network";
import { findOnnx } from "./onnx-network";
import { backboneOfNetwork } from "./other-backbone";
import { completeRecipe } from "./recipe-of";

/** Which of somebody else's networks, and what is said of it besides its files. */
export interface OtherChoice {
  /** Path of its file or folder. */
  backbone: string;
  weights: string | null;
  inputSize: number | null;
  backboneDetails?: BackboneDetails | null;
  /** How features were made once: then nothing else is asked. */
  recipe?: BackboneRecipe | undefined;
}

/** What can be opened, in words. */
const openable = "an ONNX file (.onnx), or a folder with one";

interface Located {
  format: NetworkFormat;
  /** The file or folder to be opened, absolute. */
  path: string;
}

async function locate(location: string): Promise<Located> {
  let found: Stats;
  try {
    found = await stat(location);
  } catch {
    throw refusal(
      `There is no backbone at ${location}: give "auto", "resnet50", "efficientnet-lite0", or the path of ${openable}.`,
    );
  }
  if (!found.isDirectory()) {
    if (extname(location).toLowerCase() === ".onnx") return { format: "onnx", path: location };
    throw refusal(`${location} is no backbone that can be opened: expected ${openable}.`);
  }
  const names = (await readdir(location)).filter((name) => extname(name).toLowerCase() === ".onnx");
  if (names.length === 1) return { format: "onnx", path: join(location, names[0]!) };
  throw refusal(
    names.length === 0
      ? `The folder ${location} holds no backbone that can be opened: expected ${openable}.`
      : `The folder ${location} holds several networks, ${nameSome(names.sort())}: give the path of one of them.`,
  );
}

function find({ path }: Located, location: string): Promise<FoundNetwork> {
  return findOnnx(path, location);
}

/** Says what is computed and by which word of whom. */
function describe(
  { kind }: FoundNetwork,
  backbone: Backbone,
  recipe: BackboneRecipe,
  notes: readonly string[],
): string {
  const { name, weights, featureWidth } = backbone;
  const { inputSize, channels, mean, deviation, scale, interpolation, output, pooling } = recipe;
  const pooled = pooling === "none" ? "" : `, ${pooling}`;
  return [
    `${name}, a file of the user's (${kind}, SHA-256 ${weights.sha256.slice(0, 12)}…): ${featureWidth} features, "${output}"${pooled}, of ${inputSize} × ${inputSize} pixels, ${channels} × ${scale.toPrecision(4)}, mean ${mean.join(", ")}, deviation ${deviation.join(", ")}, ${interpolation}.`,
    ...notes,
  ].join(" ");
}

/**
 * Loads somebody else's network as a backbone: a vector for an image, and nothing else is known of it.
 *
 * @returns The caller disposes of the backbone; and what it is, in a few sentences.
 * @throws Error if it can't be opened, or how it makes features is not said, naming what to write where.
 */
export async function loadOther(choice: OtherChoice): Promise<{ backbone: Backbone; explanation: string }> {
  const { inputSize, backboneDetails, weights } = choice;
  const location = resolve(choice.backbone);
  if (weights !== null) {
    throw refusal(
      `weights names a file for ResNet50, and the backbone ${location} brings its own: leave one of them out.`,
    );
  }
  const located = await locate(location);
  const found = await find(located, location);
  const network = await found.open();
  let recipe: BackboneRecipe;
  let notes: string[] = [];
  try {
    if (choice.recipe === undefined) {
      const beside = await readDetails(found);
      notes = beside.notes;
      const said = { ...beside.details, ...backboneDetails };
      recipe = completeRecipe({ found, network, format: located.format, said, inputSize });
    } else {
      recipe = choice.recipe;
    }
  } catch (error) {
    network.dispose();
    throw error;
  }
  const backbone = await backboneOfNetwork(found, network, recipe);
  return { backbone, explanation: describe(found, backbone, recipe, notes) };
}

/**
 * Everything that decides which network is found and how it is used, in one text: as long as it is the same, so are they.
 * Empty for our own.
 */
export function otherSituation(backbone: string): string {
  if (!isOther(backbone)) return "";
  const location = resolve(backbone);
  const found = statSync(location, { throwIfNoEntry: false });
  if (found === undefined) return location;
  const folder = found.isDirectory() ? location : dirname(location);
  const stamps = readdirSync(folder, { recursive: found.isDirectory(), encoding: "utf8" }).map((name) => {
    const { mtimeMs, size, ino } = statSync(join(folder, name), { throwIfNoEntry: false }) ?? {};
    return [name, mtimeMs, size, ino];
  });
  return JSON.stringify([location, stamps]);
}

/** Whether a backbone's name stands for a network of somebody else's. */
export const isOther = (backbone: string): boolean =>
  !["auto", "resnet50", "efficientnet-lite0"].includes(backbone);
