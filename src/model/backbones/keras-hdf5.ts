import { stat } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Dataset, File, Group } from "h5wasm";
import { projectRoot } from "../../runtime/paths";
import { nameOfWeight } from "./keras-names";
import { withOneFile } from "./one-file";
import type { WeightTensor } from "./weight-tensors";
import { widenFloat16 } from "./widened-floats";

type Hdf5 = typeof import("h5wasm");

/** h5wasm's exports map has no entry for `require`, which is what the kernel loads with; its path has. */
async function loadHdf5(): Promise<Hdf5> {
  const root = projectRoot();
  const requireFromRoot = createRequire(join(root, "package.json"));
  const hdf5 = requireFromRoot(join(root, "node_modules", "h5wasm", "dist", "node", "hdf5_hl.js")) as Hdf5;
  await hdf5.ready;
  return hdf5;
}

/** HDF5's classes of types. */
const [wholeNumberClass, floatClass] = [0, 1];

const isGroup = (entity: unknown): entity is Group => (entity as Group | null)?.type === "Group";
const isDataset = (entity: unknown): entity is Dataset => (entity as Dataset | null)?.type === "Dataset";

/**
 * A file holds at most this many numbers for each of its bytes: weights compress a few times, pruned ones some dozen
 * times. One that announces more is no honest one, and would need far more memory than it has bytes.
 */
const numbersPerByte = 64;
/** So many are always allowed: small layers may be all zeros. */
const harmlessCount = 2 ** 20;

/** A file, and how many more numbers it can hold. */
interface Source {
  path: string;
  numbersLeft: number;
}

function damaged(path: string, tensor: string, problem: string): Error {
  return new Error(`${path}: the weights "${tensor}" can't be read (${problem}); the file is damaged.`);
}

/** Before reading, since reading makes room for all that is announced. */
function checkShape(dataset: Dataset, source: Source): number[] {
  const shape = dataset.shape ?? [];
  const count = shape.reduce((product, size) => product * size, 1);
  if (!(count <= source.numbersLeft)) {
    const problem = `it announces the shape [${shape.join(", ")}], more numbers than the file can hold`;
    throw damaged(source.path, dataset.path, problem);
  }
  source.numbersLeft -= count;
  return shape;
}

/** The library's errors know neither file nor tensor. */
function attempt<T>(source: Source, tensor: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw message.startsWith(source.path) ? error : damaged(source.path, tensor, message);
  }
}

/** Numbers of half precision as the library gives them when it takes them for whole ones: their bits. */
function readHalves(dataset: Dataset): Float32Array {
  // It knows the type, and brings its bytes into order, but has no array for it.
  Object.assign(dataset.metadata, { type: wholeNumberClass, signed: false });
  return widenFloat16(dataset.value as Uint16Array);
}

function readDataset(group: Group, name: string, source: Source): WeightTensor {
  const place = `${group.path}/${name}`;
  return attempt(source, place, () => {
    const dataset = group.get(name);
    if (!isDataset(dataset)) throw new Error(`${source.path}: "${place}" is announced, but not there.`);
    const shape = checkShape(dataset, source);
    const { type, size } = dataset.metadata;
    if (type === floatClass && size === 2) return { shape, values: readHalves(dataset) };
    const value: unknown = dataset.value;
    if (value instanceof Float32Array || value instanceof Float64Array) {
      return { shape, values: new Float32Array(value) };
    }
    throw new Error(
      `${source.path}: the weights "${dataset.path}" should be floating-point numbers, found the type ${String(dataset.dtype)}.`,
    );
  });
}

/** Puts a tensor among the others; two of one name are two networks in one file, and which is meant is not known. */
function keep(tensors: Map<string, WeightTensor>, name: string, tensor: WeightTensor, path: string): void {
  if (tensors.has(name)) {
    throw new Error(
      `${path} holds the weights "${name}" twice, so it is of more than one network: save the one that is meant by itself.`,
    );
  }
  tensors.set(name, tensor);
}

function stringsOf(group: Group, attribute: string): string[] {
  const value = group.attrs[attribute]?.value;
  // Keras 2 pads its names with zero bytes to one length.
  return Array.isArray(value) ? value.map((name) => String(name).replace(/\0+$/, "")) : [];
}

/**
 * Keras 2 and Keras 3's `.h5`: a group a layer, whose attribute `weight_names` lists "conv1_conv/kernel:0". A network
 * within another one is one layer there, and lists its own layers' weights.
 */
function readNamedLayers(root: Group, source: Source): Map<string, WeightTensor> {
  const tensors = new Map<string, WeightTensor>();
  for (const layer of stringsOf(root, "layer_names")) {
    const group = attempt(source, layer, () => root.get(layer));
    if (!isGroup(group)) throw new Error(`${source.path}: the layer "${layer}" is announced, but not there.`);
    for (const weight of attempt(source, layer, () => stringsOf(group, "weight_names"))) {
      keep(tensors, nameOfWeight(layer, weight), readDataset(group, weight, source), source.path);
    }
  }
  return tensors;
}

const kindsByCount: Record<number, string[]> = {
  1: ["kernel"],
  2: ["kernel", "bias"],
  4: ["gamma", "beta", "moving_mean", "moving_variance"],
};

/**
 * Keras 3's `.weights.h5`: `layers/<class>/vars/0…`, with the layer's own name as an attribute of `vars`; a network within
 * another one has `layers` of its own.
 */
function readNumberedVariables(
  layers: Group,
  source: Source,
  tensors = new Map<string, WeightTensor>(),
): Map<string, WeightTensor> {
  for (const key of layers.keys()) {
    const inner = layers.get(`${key}/layers`);
    if (isGroup(inner)) readNumberedVariables(inner, source, tensors);
    const group = layers.get(`${key}/vars`);
    if (!isGroup(group)) continue;
    const name = group.attrs["name"]?.value;
    const kinds = kindsByCount[group.keys().length];
    if (typeof name !== "string" || kinds === undefined) continue;
    for (const [index, kind] of kinds.entries()) {
      const tensor = readDataset(group, String(index), source);
      keep(tensors, nameOfWeight(name, `${name}/${kind}`), tensor, source.path);
    }
  }
  return tensors;
}

function readOpenFile(file: File, source: Source): Map<string, WeightTensor> {
  const keys = file.keys();
  const model = keys.includes("model_weights") ? file.get("model_weights") : file;
  if (isGroup(model) && "layer_names" in model.attrs) return readNamedLayers(model, source);
  const layers = keys.includes("layers") ? file.get("layers") : null;
  if (isGroup(layers)) return readNumberedVariables(layers, source);
  throw new Error(
    `${source.path} is an HDF5 file, but not one of Keras weights: found ${keys.slice(0, 5).join(", ") || "nothing"} in it.`,
  );
}

/**
 * Reads the weights that Keras saved to HDF5: Keras 2's layout (that of the official files), a whole saved
 * model, or Keras 3's `.weights.h5`; also of a network within another one. Compressed files are fine, half precision too.
 *
 * @param options.shownAs - What errors call the file, by default its path.
 * @returns By layer and kind, for example "conv1_conv/kernel"; ResNet50's old names as today's.
 * @throws Error that names the tensor, or the file where its structure can't be read, if the file is damaged, isn't one of
 * Keras weights or draws in another file. What the file announces is never made room for unless the file can hold it.
 */
export async function readKerasHdf5(
  path: string,
  options: { shownAs?: string } = {},
): Promise<Map<string, WeightTensor>> {
  const { shownAs = path } = options;
  const hdf5 = await loadHdf5();
  const { size } = await stat(path);
  return withOneFile(await hdf5.ready, path, shownAs, () => {
    const file = new hdf5.File(path, "r");
    // h5wasm reports a file that it can't open by this number only.
    if (file.file_id < 0n)
      throw new Error(`${shownAs} is a damaged HDF5 file, perhaps cut short; fetch it again.`);
    try {
      const numbersLeft = Math.max(harmlessCount, size * numbersPerByte);
      return readOpenFile(file, { path: shownAs, numbersLeft });
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      if (message.startsWith(shownAs)) throw error;
      throw new Error(`${shownAs} is a damaged HDF5 file (${message}); fetch it again.`);
    } finally {
      file.close();
    }
  });
}
