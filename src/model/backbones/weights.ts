import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { unzipSync } from "fflate";
import { readRegularFile } from "../../runtime/files/regular-file";
import { writeWholeFile } from "../../runtime/files/write-file";
import { readKerasHdf5 } from "./keras-hdf5";
import { decodeSafetensors } from "./safetensors";
import type { WeightsFile, WeightTensor } from "./weight-tensors";

const hdf5Signature = Buffer.from([0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a]);
// A safetensors file begins with its header's length, an 8-byte number, and the header is JSON.
const safetensorsBrace = 8;

async function readWhole(path: string): Promise<Buffer> {
  try {
    return await readRegularFile(path);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") throw new Error(`There is no file of weights at ${path}.`);
    throw new Error(`The weights at ${path} can't be read: ${message}`);
  }
}

const zipSignature = Buffer.from("PK\u0003\u0004");
/** The weights within Keras 3's `.keras`, which is a ZIP archive. */
const weightsInKeras = "model.weights.h5";
/** As much as Node can hold in one piece; ResNet50's have 0.1 GiB. */
const weightsLimit = 2 ** 31 - 1;

/** @throws Error if it is a ZIP archive, but not one of Keras, or damaged. */
async function readKerasArchive(bytes: Buffer, path: string): Promise<Map<string, WeightTensor>> {
  let weights: Uint8Array | undefined;
  try {
    const isWanted = ({ name, originalSize }: { name: string; originalSize: number }) =>
      name === weightsInKeras && originalSize <= weightsLimit;
    weights = unzipSync(bytes, { filter: isWanted })[weightsInKeras];
  } catch (error) {
    throw new Error(`${path} is a damaged archive (${(error as Error).message}); fetch it again.`);
  }
  if (weights === undefined) {
    throw new Error(
      `${path} is an archive without ${weightsInKeras}, so none that Keras saved; unpack it, and give the file of weights in it.`,
    );
  }
  // HDF5 is read from a file.
  const folder = await mkdtemp(join(tmpdir(), "breakhis-lab-weights-"));
  try {
    const unpacked = join(folder, weightsInKeras);
    await writeWholeFile(unpacked, weights);
    return await readKerasHdf5(unpacked, { shownAs: path });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Reads a file of weights into memory: Keras HDF5 (`.h5`, `.weights.h5`), Keras' own archive (`.keras`) or safetensors,
 * told apart by their first bytes.
 *
 * @throws Error naming the file if it isn't there, isn't one of these, is damaged or draws in another file.
 */
export async function readWeights(path: string): Promise<WeightsFile> {
  const bytes = await readWhole(path);
  const checksum = (algorithm: string) => createHash(algorithm).update(bytes).digest("hex");
  const known = { path, sha256: checksum("sha256"), md5: checksum("md5") };
  if (bytes.subarray(0, hdf5Signature.length).equals(hdf5Signature)) {
    return { ...known, tensors: await readKerasHdf5(path) };
  }
  if (bytes[safetensorsBrace] === "{".charCodeAt(0)) {
    return { ...known, tensors: decodeSafetensors(bytes, path) };
  }
  if (bytes.subarray(0, zipSignature.length).equals(zipSignature)) {
    return { ...known, tensors: await readKerasArchive(bytes, path) };
  }
  throw new Error(
    `${path} is neither an HDF5 file nor a safetensors file nor a .keras archive; expected weights as Keras saves them.`,
  );
}
