import { createRequire } from "node:module";
import { join } from "node:path";
import type { Dataset, File, Group } from "h5wasm";
import { projectRoot } from "../runtime/paths";
import type { WeightTensor } from "./weight-tensors";

type Hdf5 = typeof import("h5wasm");

/** h5wasm's exports map has no entry for `require`, which is what the kernel loads with; its path has. */
async function loadHdf5(): Promise<Hdf5> {
  const root = projectRoot();
  const requireFromRoot = createRequire(join(root, "package.json"));
  const hdf5 = requireFromRoot(join(root, "node_modules", "h5wasm", "dist", "node", "hdf5_hl.js")) as Hdf5;
  await hdf5.ready;
  return hdf5;
}

const isGroup = (entity: unknown): entity is Group => (entity as Group | null)?.type === "Group";
const isDataset = (entity: unknown): entity is Dataset => (entity as Dataset | null)?.type === "Dataset";

function readValues(dataset: Dataset, path: string): unknown {
  try {
    return dataset.value;
  } catch (error) {
    throw new Error(
      `${path}: the weights "${dataset.path}" can't be read (${(error as Error).message}); the file is damaged.`,
    );
  }
}

function readDataset(group: Group, name: string, path: string): WeightTensor {
  const dataset = group.get(name);
  if (!isDataset(dataset)) throw new Error(`${path}: "${group.path}/${name}" is announced, but not there.`);
  const value = readValues(dataset, path);
  if (value instanceof Float32Array || value instanceof Float64Array) {
    return { shape: dataset.shape ?? [], values: Float32Array.from(value) };
  }
  throw new Error(
    `${path}: the weights "${dataset.path}" should be floating-point numbers, found the type ${String(dataset.dtype)}.`,
  );
}

function stringsOf(group: Group, attribute: string): string[] {
  const value = group.attrs[attribute]?.value;
  // Keras 2 pads its names with zero bytes to one length.
  return Array.isArray(value) ? value.map((name) => String(name).replace(/\0+$/, "")) : [];
}

/** Keras 2 and Keras 3's `.h5`: a group a layer, whose attribute `weight_names` lists "conv1_conv/kernel:0". */
function readNamedLayers(root: Group, path: string): Map<string, WeightTensor> {
  const tensors = new Map<string, WeightTensor>();
  for (const layer of stringsOf(root, "layer_names")) {
    const group = root.get(layer);
    if (!isGroup(group)) throw new Error(`${path}: the layer "${layer}" is announced, but not there.`);
    for (const weight of stringsOf(group, "weight_names")) {
      const kind = weight.slice(weight.lastIndexOf("/") + 1).replace(/:\d+$/, "");
      tensors.set(`${layer}/${kind}`, readDataset(group, weight, path));
    }
  }
  return tensors;
}

const kindsByCount: Record<number, string[]> = {
  1: ["kernel"],
  2: ["kernel", "bias"],
  4: ["gamma", "beta", "moving_mean", "moving_variance"],
};

/** Keras 3's `.weights.h5`: `layers/<class>/vars/0…`, with the layer's own name as an attribute of `vars`. */
function readNumberedVariables(layers: Group, path: string): Map<string, WeightTensor> {
  const tensors = new Map<string, WeightTensor>();
  for (const key of layers.keys()) {
    const group = layers.get(`${key}/vars`);
    if (!isGroup(group)) continue;
    const name = group.attrs["name"]?.value;
    const kinds = kindsByCount[group.keys().length];
    if (typeof name !== "string" || kinds === undefined) continue;
    for (const [index, kind] of kinds.entries()) {
      tensors.set(`${name}/${kind}`, readDataset(group, String(index), path));
    }
  }
  return tensors;
}

function readOpenFile(file: File, path: string): Map<string, WeightTensor> {
  const keys = file.keys();
  const model = keys.includes("model_weights") ? file.get("model_weights") : file;
  if (isGroup(model) && "layer_names" in model.attrs) return readNamedLayers(model, path);
  const layers = keys.includes("layers") ? file.get("layers") : null;
  if (isGroup(layers)) return readNumberedVariables(layers, path);
  throw new Error(
    `${path} is an HDF5 file, but not one of Keras weights: found ${keys.slice(0, 5).join(", ") || "nothing"} in it.`,
  );
}

/**
 * Reads the weights that Keras saved to HDF5: Keras 2's layout (that of the official files), a whole saved
 * model, or Keras 3's `.weights.h5`. Compressed files are fine.
 *
 * @returns By layer and kind, for example "conv1_conv/kernel".
 * @throws Error if the file is damaged or isn't one of Keras weights.
 */
export async function readKerasHdf5(path: string): Promise<Map<string, WeightTensor>> {
  const hdf5 = await loadHdf5();
  const file = new hdf5.File(path, "r");
  // h5wasm reports a file that it can't open by this number only.
  if (file.file_id < 0n)
    throw new Error(`${path} is a damaged HDF5 file, perhaps cut short; fetch it again.`);
  try {
    return readOpenFile(file, path);
  } finally {
    file.close();
  }
}
