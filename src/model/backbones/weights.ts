import { createHash } from "node:crypto";
import { readRegularFile } from "../../runtime/regular-file";
import { readKerasHdf5 } from "./keras-hdf5";
import { decodeSafetensors } from "./safetensors";
import type { WeightsFile } from "./weight-tensors";

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

/**
 * Reads a file of weights into memory: Keras HDF5 or safetensors, told apart by their first bytes.
 *
 * @throws Error naming the file if it isn't there, isn't one of the two, or is damaged.
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
  throw new Error(
    `${path} is neither an HDF5 file nor a safetensors file; expected weights as Keras saves them (.h5).`,
  );
}
