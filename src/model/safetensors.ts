import type { WeightTensor } from "./weight-tensors";

const lengthBytes = 8;
const float32Bytes = 4;

interface HeaderEntry {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

function isHeaderEntry(value: unknown): value is HeaderEntry {
  if (typeof value !== "object" || value === null) return false;
  const entry = value as Partial<HeaderEntry>;
  return typeof entry.dtype === "string" && Array.isArray(entry.shape) && Array.isArray(entry.data_offsets);
}

function parseHeader(bytes: Buffer, path: string): { header: Record<string, unknown>; dataStart: number } {
  const damaged = `${path} is not a safetensors file, or it is cut short.`;
  if (bytes.length < lengthBytes) throw new Error(damaged);
  const headerBytes = Number(bytes.readBigUInt64LE(0));
  const dataStart = lengthBytes + headerBytes;
  if (dataStart > bytes.length) throw new Error(damaged);
  try {
    const header = JSON.parse(bytes.toString("utf8", lengthBytes, dataStart)) as Record<string, unknown>;
    return { header, dataStart };
  } catch {
    throw new Error(damaged);
  }
}

function sliceTensor(name: string, entry: unknown, data: Buffer, path: string): WeightTensor {
  if (!isHeaderEntry(entry) || entry.dtype !== "F32") {
    throw new Error(`${path}: the weights "${name}" should be of type F32, found ${JSON.stringify(entry)}.`);
  }
  const [start, end] = entry.data_offsets;
  const count = entry.shape.reduce((product, size) => product * size, 1);
  if (end - start !== count * float32Bytes || start < 0 || end > data.length) {
    throw new Error(`${path}: the weights "${name}" reach beyond the file, which is damaged or cut short.`);
  }
  // Copied, because a Float32Array must start at a multiple of four bytes.
  const values = new Float32Array(count);
  new Uint8Array(values.buffer).set(data.subarray(start, end));
  return { shape: entry.shape, values };
}

/**
 * Reads a safetensors file: an 8-byte length, a JSON header with each tensor's type, shape and place, the values.
 *
 * @param path - Named in errors.
 * @throws Error if the file is damaged or holds something else than float32.
 */
export function decodeSafetensors(bytes: Buffer, path: string): Map<string, WeightTensor> {
  const { header, dataStart } = parseHeader(bytes, path);
  const data = bytes.subarray(dataStart);
  const tensors = new Map<string, WeightTensor>();
  for (const [name, entry] of Object.entries(header)) {
    if (name !== "__metadata__") tensors.set(name, sliceTensor(name, entry, data, path));
  }
  return tensors;
}
