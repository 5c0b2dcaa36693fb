import { readdir, realpath, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { checksumFile } from "../../data/fetch/download";
import { sha256 } from "../../runtime/cache/content-hash";
import { readRegularFile } from "../../runtime/files/regular-file";
import { openSavedModel } from "../../runtime/native/native-saved-model";
import { refusal } from "../../runtime/refusal";
import { byCodeUnits } from "../../runtime/words";
import type { FoundNetwork, OpenedNetwork } from "./network";
import { inspectSavedModel, type SavedModelFacts, servingTag } from "./saved-model-file";

/** The graph's file in a SavedModel's folder. */
export const savedModelFile = "saved_model.pb";
const variables = "variables";

/** Names of the files that a SavedModel is read from, relative to its folder, and their checksum together. */
async function checksumOf(folder: string): Promise<string> {
  const names = await readdir(join(folder, variables)).catch(() => []);
  const files = [savedModelFile, ...names.sort(byCodeUnits).map((name) => join(variables, name))];
  const sums: [name: string, sha256: string][] = [];
  for (const name of files) {
    const path = join(folder, name);
    if ((await realpath(path)) !== join(await realpath(folder), name)) {
      throw refusal(
        `${path} is a link that leads elsewhere: put a copy of the file there (cp -L) if it is yours.`,
      );
    }
    if ((await stat(path)).isFile()) sums.push([name, await checksumFile(path, "sha256")]);
  }
  return sha256(JSON.stringify(sums));
}

/**
 * Looks at a SavedModel: whether all that it holds computes and nothing else, and the checksum of its files.
 *
 * @param folder - Absolute.
 * @throws Error if it is none, or holds operations that are not let in.
 */
export async function findSavedModel(folder: string): Promise<FoundNetwork> {
  const path = join(folder, savedModelFile);
  const facts = inspectSavedModel(await readRegularFile(path), path);
  return {
    name: basename(folder),
    location: folder,
    folder,
    stem: null,
    sha256: await checksumOf(folder),
    parameterCount: null,
    kind: `SavedModel of ${facts.stepCount} steps`,
    open: () => Promise.resolve(open(folder, facts)),
  };
}

function open(folder: string, { inputs, outputs }: SavedModelFacts): OpenedNetwork {
  const [input] = inputs;
  if (input === undefined || inputs.length > 1) {
    const names = inputs.map(({ name }) => name).join(", ");
    throw refusal(
      `A backbone takes images and nothing else, and ${folder} has ${inputs.length} inputs (${names}): export it with one.`,
    );
  }
  const session = openSavedModel(folder, servingTag);
  const tensors = new Map(outputs.map(({ name, tensor }) => [name, tensor]));
  return {
    input,
    outputs,
    run: (values, shape, output) =>
      Promise.resolve(session.run({ tensor: input.tensor, values, shape }, tensors.get(output)!)),
    dispose: session.dispose,
  };
}
