import type { Stats } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { dirname, extname, join, parse, resolve } from "node:path";
import { refusal } from "../../runtime/refusal";
import type { BackboneDetails } from "../../runtime/settings";
import { nameSome } from "../../runtime/words";
import type { Backbone } from "../backbones/architecture";
import type { BackboneRecipe, NetworkFormat } from "../backbones/recipe";
import { kerasApplicationDetails, kerasApplications } from "./keras-applications";
import { findKeras, type KerasSource } from "./keras-network";
import type { FoundNetwork } from "./network";
import { findOnnx } from "./onnx-network";
import { findSavedModel, savedModelFile } from "./saved-model-network";

/** A network that was named, and how it is looked at once what is said of it is known. */
export interface LocatedNetwork extends Pick<FoundNetwork, "folder" | "stem"> {
  format: NetworkFormat;
  /** All that has to be said, where its name says it; null where it has to be found out. */
  details: BackboneDetails | null;
  find(said: { [Name in keyof BackboneDetails]: BackboneDetails[Name] | undefined }): Promise<FoundNetwork>;
}

/** What can be opened, in words. */
const openable =
  "an ONNX file (.onnx), a Keras model (.keras, .h5), a folder with an ONNX file or a SavedModel, or a name of keras.applications with its weights";

const fileKinds: Readonly<Record<string, NetworkFormat>> = {
  ".onnx": "onnx",
  ".keras": "keras",
  ".h5": "keras",
  ".hdf5": "keras",
};

/** The model's own output, where no layer is named. */
const wholeModel = "features";

function locateFile(path: string, location: string): LocatedNetwork {
  const format = fileKinds[extname(path).toLowerCase()];
  if (format === undefined) {
    throw refusal(`${path} is no backbone that can be opened: expected ${openable}.`);
  }
  const place = { folder: dirname(path), stem: parse(path).name, details: null, format };
  if (format === "onnx") return { ...place, find: () => findOnnx(path, location) };
  return {
    ...place,
    find: ({ output }) =>
      findKeras({
        path,
        application: null,
        size: null,
        output: output === undefined || output === wholeModel ? null : output,
      }),
  };
}

async function locateInFolder(location: string): Promise<LocatedNetwork> {
  const all = await readdir(location);
  if (all.includes(savedModelFile)) {
    return {
      ...{ format: "savedmodel", folder: location, stem: null, details: null },
      find: () => findSavedModel(location),
    };
  }
  const names = all.filter((name) => extname(name).toLowerCase() === ".onnx");
  if (names.length === 1) return locateFile(join(location, names[0]!), location);
  throw refusal(
    names.length === 0
      ? `The folder ${location} holds no backbone that can be opened: expected ${openable}.`
      : `The folder ${location} holds several networks, ${nameSome(names.sort())}: give the path of one of them.`,
  );
}

function locateApplication(name: string, details: BackboneDetails, weights: string | null): LocatedNetwork {
  if (weights === null) {
    throw refusal(
      `The backbone ${name} of keras.applications needs the file of its weights, without the classifier (notop): give its path as \`weights\`.`,
    );
  }
  const path = resolve(weights);
  return {
    ...{ format: "keras", folder: dirname(path), stem: null, details },
    find: ({ inputSize }) => findKeras({ path, application: name, size: inputSize ?? null, output: null }),
  };
}

/** Where a backbone that Keras made comes from, for Keras to build it again. */
export function kerasSourceOf(
  { name, location = name }: Pick<Backbone, "name" | "location">,
  recipe: BackboneRecipe,
): KerasSource {
  const { inputSize, output } = recipe;
  return kerasApplicationDetails(name) === undefined
    ? { path: location, application: null, size: null, output: output === wholeModel ? null : output }
    : { path: location, application: name, size: inputSize, output: null };
}

/**
 * Finds out what a path or a name stands for.
 *
 * @param weights - For a name of `keras.applications` alone.
 * @throws Error that says what is there instead.
 */
export async function locateNetwork(backbone: string, weights: string | null): Promise<LocatedNetwork> {
  const details = kerasApplicationDetails(backbone);
  if (details !== undefined) return locateApplication(backbone, details, weights);
  const location = resolve(backbone);
  if (weights !== null) {
    throw refusal(
      `weights names a file for ResNet50 or for a name of keras.applications, and the backbone ${location} brings its own: leave one of them out.`,
    );
  }
  let found: Stats;
  try {
    found = await stat(location);
  } catch {
    throw refusal(
      `There is no backbone at ${location}: give "auto", "resnet50", "efficientnet-lite0", or the path of ${openable} (${nameSome(kerasApplications, 3)}).`,
    );
  }
  return found.isDirectory() ? locateInFolder(location) : locateFile(location, location);
}
