import { readdirSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { BackboneDetails } from "../../runtime/settings";
import type { Backbone } from "../backbones/architecture";
import type { BackboneRecipe } from "../backbones/recipe";
import { readDetails, type SaidDetails } from "./details-files";
import { kerasApplications } from "./keras-applications";
import { locateNetwork } from "./locate-network";
import type { FoundNetwork } from "./network";
import { backboneOfNetwork } from "./other-backbone";
import { completeRecipe } from "./recipe-of";

/** Which of somebody else's networks, and what is said of it besides its files. */
export interface OtherChoice {
  /** Path of its file or folder, or a name of `keras.applications`. */
  backbone: string;
  /** For a name, the path of its weights; else null. */
  weights: string | null;
  inputSize: number | null;
  backboneDetails?: BackboneDetails | null;
  /** How features were made once: then nothing else is asked. */
  recipe?: BackboneRecipe | undefined;
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
    `${name}, a network of the user's (${kind}, SHA-256 ${weights.sha256.slice(0, 12)}…): ${featureWidth} features, "${output}"${pooled}, of ${inputSize} × ${inputSize} pixels, ${channels} × ${scale.toPrecision(4)}, mean ${mean.join(", ")}, deviation ${deviation.join(", ")}, ${interpolation}.`,
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
  const { inputSize, backboneDetails, recipe: known } = choice;
  const located = await locateNetwork(choice.backbone, choice.weights);
  const { details: named } = located;
  const silent: SaidDetails = { details: named ?? {}, files: [], notes: [] };
  // Of a network by its name all is known; what lies beside its weights is about others.
  const beside = known !== undefined || named !== null ? silent : await readDetails(located);
  const said: BackboneDetails =
    known === undefined ? { ...beside.details, ...backboneDetails } : detailsOf(known);
  const found = await located.find({ ...said, inputSize: inputSize ?? said.inputSize });
  const network = await found.open();
  let recipe: BackboneRecipe;
  try {
    recipe = known ?? completeRecipe({ found, network, format: located.format, said, inputSize });
  } catch (error) {
    network.dispose();
    throw error;
  }
  const backbone = await backboneOfNetwork(found, network, recipe);
  return { backbone, explanation: describe(found, backbone, recipe, beside.notes) };
}

function detailsOf({ format: _, ...details }: BackboneRecipe): BackboneDetails {
  return details;
}

/** The settings that lead to somebody else's network: its path, or its name and its weights' path. */
export function otherSettings({ name, location }: Pick<Backbone, "name" | "location">): {
  backbone: string;
  weights: string | null;
} {
  const path = location ?? name;
  return kerasApplications.includes(name)
    ? { backbone: name, weights: path }
    : { backbone: path, weights: null };
}

/**
 * Everything that decides which network is found and how it is used, in one text: as long as it is the same, so are they.
 * Empty for our own.
 */
export function otherSituation(backbone: string): string {
  if (!isOther(backbone) || kerasApplications.includes(backbone)) return "";
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
