import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, dirname, join, parse } from "node:path";
import { checksumFile } from "../../data/fetch/download";
import { sha256 } from "../../runtime/cache/content-hash";
import { writeFolderAtomically } from "../../runtime/files/atomic-folder";
import { cacheFolder } from "../../runtime/paths";
import { kerasProblem, runPythonProgram } from "../../runtime/python";
import { refusal } from "../../runtime/refusal";
import type { FoundNetwork } from "./network";
import { findSavedModel, savedModelFile } from "./saved-model-network";

/** A Keras model, or one of `keras.applications` with its weights. */
export interface KerasSource {
  /** Absolute path of the model, or of the weights. */
  path: string;
  /** Null where the file is a whole model. */
  application: string | null;
  /** For an application, in pixels. */
  size: number | null;
  /** Name of the layer whose output is wanted; null for the model's own. */
  output: string | null;
}

/** Raised by hand when the conversion gives another graph than before. */
const conversionVersion = 1;
const conversions = "backbones";
const program = "convert_backbone.py";

/** Where a conversion is kept: in the cache, by everything that it is made of. */
const placeOf = (source: KerasSource, checksum: string): string => {
  const { application, size, output } = source;
  const key = sha256(JSON.stringify([conversionVersion, checksum, application, size, output]));
  return join(cacheFolder(), conversions, key);
};

async function convert(source: KerasSource, folder: string): Promise<void> {
  const problem = kerasProblem();
  if (problem !== null)
    throw refusal(`A Keras model is opened by Keras in Python, and it isn't here. ${problem}`);
  const { path: file, application, size, output } = source;
  await writeFolderAtomically(folder, async (temporary) => {
    const task = { source: file, application, size, output, folder: join(temporary, "network") };
    try {
      await runPythonProgram(program, [JSON.stringify(task)]);
    } catch (error) {
      const reason = (error as Error).message.replace(`python/${program} failed: `, "").replace(/\.$/, "");
      throw refusal(`${file} can't be opened as ${application ?? "a Keras model"}: ${reason}.`);
    }
  });
}

/**
 * Looks at a Keras model, which Keras converts to a SavedModel the first time, in its safe mode; the cache keeps that by the
 * checksum of the model's file.
 *
 * @throws Error with the reason if Keras can't open it, or it holds what is not Keras' own.
 */
export async function findKeras(source: KerasSource): Promise<FoundNetwork> {
  const { path, application } = source;
  if (!existsSync(path)) throw refusal(`There is no file at ${path}.`);
  const checksum = await checksumFile(path, "sha256");
  const folder = placeOf(source, checksum);
  const converted = join(folder, "network");
  if (!existsSync(join(converted, savedModelFile))) await convert(source, folder);
  const found = await findSavedModel(converted);
  const facts = JSON.parse(await readFile(join(converted, "facts.json"), "utf8")) as Record<string, number>;
  return {
    ...found,
    name: application ?? basename(path),
    location: path,
    folder: dirname(path),
    stem: parse(path).name,
    sha256: checksum,
    parameterCount: facts["parameters"] ?? null,
    kind: `Keras model of ${facts["layers"]} layers`,
  };
}
