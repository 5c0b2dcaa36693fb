import type { WeightTensor } from "./weight-tensors";
import { widenBfloat16, widenFloat16 } from "./widened-floats";

const lengthBytes = 8;
const float32Bytes = 4;
/** Types that are read: how many bytes a number has, and how it becomes a float32. */
const types: Readonly<Record<string, { bytes: number; widen: (bytes: Uint8Array) => Float32Array }>> = {
  F32: { bytes: float32Bytes, widen: (bytes) => new Float32Array(bytes.buffer) },
  F16: { bytes: 2, widen: (bytes) => widenFloat16(new Uint16Array(bytes.buffer)) },
  BF16: { bytes: 2, widen: (bytes) => widenBfloat16(new Uint16Array(bytes.buffer)) },
};

interface HeaderEntry {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

const isWholeNumber = (value: unknown): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 0;
const areWholeNumbers = (values: unknown): values is number[] =>
  Array.isArray(values) && values.every(isWholeNumber);

function isHeaderEntry(value: unknown): value is HeaderEntry {
  if (typeof value !== "object" || value === null) return false;
  const { dtype, shape, data_offsets: offsets } = value as Partial<HeaderEntry>;
  return (
    typeof dtype === "string" && areWholeNumbers(shape) && areWholeNumbers(offsets) && offsets.length === 2
  );
}

function parseHeader(bytes: Buffer, path: string): { header: Record<string, unknown>; dataStart: number } {
  const damaged = `${path} is not a safetensors file, or it is cut short.`;
  if (bytes.length < lengthBytes) throw new Error(damaged);
  const headerBytes = Number(bytes.readBigUInt64LE(0));
  const dataStart = lengthBytes + headerBytes;
  if (dataStart > bytes.length) throw new Error(damaged);
  let header: unknown;
  try {
    header = JSON.parse(bytes.toString("utf8", lengthBytes, dataStart));
  } catch {
    throw new Error(damaged);
  }
  if (typeof header !== "object" || header === null || Array.isArray(header)) throw new Error(damaged);
  return { header: header as Record<string, unknown>, dataStart };
}

function sliceTensor(name: string, entry: unknown, data: Buffer, path: string): WeightTensor {
  const found = (JSON.stringify(entry) ?? "nothing").slice(0, 200);
  if (!isHeaderEntry(entry)) {
    throw new Error(`${path}: the weights "${name}" should have type, shape and place, found ${found}.`);
  }
  const type = types[entry.dtype];
  if (type === undefined) {
    throw new Error(`${path}: the weights "${name}" should be of type F32, F16 or BF16, found ${found}.`);
  }
  const [start, end] = entry.data_offsets;
  const count = entry.shape.reduce((product, size) => product * size, 1);
  if (end - start !== count * type.bytes || end > data.length) {
    throw new Error(`${path}: the weights "${name}" reach beyond the file, which is damaged or cut short.`);
  }
  // Copied, because an array of wider numbers must start at a multiple of their bytes.
  return { shape: entry.shape, values: type.widen(Uint8Array.from(data.subarray(start, end))) };
}

const bytesOf = ({ data_offsets: [start, end] }: HeaderEntry) => end - start;

/**
 * Reads a safetensors file: an 8-byte length, a JSON header with each tensor's type, shape and place, the values.
 *
 * @param path - Named in errors.
 * @throws Error that names the tensor, or the file where its header can't be read, if it is damaged or holds something else than float32, float16 or bfloat16.
 */
export function decodeSafetensors(bytes: Buffer, path: string): Map<string, WeightTensor> {
  const { header, dataStart } = parseHeader(bytes, path);
  const data = bytes.subarray(dataStart);
  const tensors = new Map<string, WeightTensor>();
  let bytesLeft = data.length;
  for (const [name, entry] of Object.entries(header)) {
    if (name === "__metadata__") continue;
    const tensor = sliceTensor(name, entry, data, path);
    // Many tensors in one place would need far more memory than the file has bytes.
    bytesLeft -= bytesOf(entry as HeaderEntry);
    if (bytesLeft < 0) throw new Error(`${path}: the weights "${name}" overlap others; the file is damaged.`);
    tensors.set(name, tensor);
  }
  return tensors;
}

/** A tensor to be written, with its name. */
export interface NamedTensor extends WeightTensor {
  name: string;
}

/** Writes float32 tensors as a safetensors file, which Python reads too; the same tensors give the same bytes. */
export function encodeSafetensors(tensors: readonly NamedTensor[]): Buffer {
  const entries: Record<string, HeaderEntry> = {};
  let offset = 0;
  for (const { name, shape, values } of tensors) {
    entries[name] = { dtype: "F32", shape, data_offsets: [offset, offset + values.byteLength] };
    offset += values.byteLength;
  }
  const json = JSON.stringify(entries);
  // Filled up with spaces, as the format asks, so that the values start at a multiple of 8 bytes.
  const header = Buffer.from(json.padEnd(8 * Math.ceil(json.length / 8)));
  const length = Buffer.alloc(lengthBytes);
  length.writeBigUInt64LE(BigInt(header.length));
  const values = tensors.map((tensor) =>
    Buffer.from(tensor.values.buffer, tensor.values.byteOffset, tensor.values.byteLength),
  );
  return Buffer.concat([length, header, ...values]);
}
