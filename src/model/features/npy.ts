import type { FileHandle } from "node:fs/promises";
import { openRegularFile } from "../../runtime/files/regular-file";
import { rangeRefusal, refusal } from "../../runtime/refusal";
import { areInMemory, countValues, type FeatureValues, gatherRows, type StoredRows } from "./feature-rows";
import { RowFile } from "./row-file";

const npyMagic = Buffer.from("\x93NUMPY\x01\x00", "latin1");
const npyAlignment = 64;

/** Numbers that are written at a time: a file may be larger than any buffer, which has 2 GiB at most in one write. */
const numbersAtOnce = 1 << 22;

/**
 * Encodes a matrix as numpy's .npy file, version 1.0: float32, little-endian, C order.
 *
 * @param values - Shape [rows, columns], row after row; the pieces share its memory.
 * @returns The file in pieces, for `writeFileAtomically`.
 * @throws RangeError if the values don't fill the shape.
 */
export function encodeNpy(values: FeatureValues, [rows, columns]: [number, number]): Iterable<Uint8Array> {
  const found = countValues(values);
  if (found !== rows * columns) {
    throw rangeRefusal(`A matrix of ${rows} × ${columns} has ${rows * columns} values, found ${found}.`);
  }
  const text = `{'descr': '<f4', 'fortran_order': False, 'shape': (${rows}, ${columns}), }`;
  const lengthBytes = 2;
  const unpadded = npyMagic.length + lengthBytes + text.length + 1;
  const header = `${text}${" ".repeat((npyAlignment - (unpadded % npyAlignment)) % npyAlignment)}\n`;
  const length = Buffer.alloc(lengthBytes);
  length.writeUInt16LE(header.length);
  return npyPieces(Buffer.concat([npyMagic, length, Buffer.from(header, "latin1")]), values);
}

const asBytes = (values: Float32Array): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

function* npyPieces(head: Uint8Array, values: FeatureValues): Generator<Uint8Array> {
  yield head;
  if (areInMemory(values)) {
    for (let first = 0; first < values.length; first += numbersAtOnce) {
      yield asBytes(values.subarray(first, first + numbersAtOnce));
    }
    return;
  }
  const { count, width } = values;
  const rowsAtOnce = Math.max(1, Math.floor(numbersAtOnce / width));
  for (let first = 0; first < count; first += rowsAtOnce) {
    const rows = Array.from({ length: Math.min(rowsAtOnce, count - first) }, (_, i) => first + i);
    yield asBytes(gatherRows(values, width, rows));
  }
}

/** How a matrix of float32 says so; others are not read. */
const npyHeader =
  /^\{'descr': '<f4', 'fortran_order': False, 'shape': \((?<rows>\d+), (?<columns>\d+)\), ?\}\s*$/;
/** More than any header of a matrix has. */
const longestHeader = 1 << 16;

async function readBytes(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position);
  return buffer.subarray(0, bytesRead);
}

/** The header's text, and where the numbers begin; null for what is no .npy file. */
async function readHeader(file: FileHandle): Promise<{ text: string; start: number } | null> {
  const head = await readBytes(file, 0, 12);
  if (head.length < 12 || !head.subarray(0, 6).equals(npyMagic.subarray(0, 6))) return null;
  // Versions 2 and 3 have a longer field for the header's length.
  const [length, begin] = head[6] === 1 ? [head.readUInt16LE(8), 10] : [head.readUInt32LE(8), 12];
  if (length > longestHeader) return null;
  return { text: (await readBytes(file, begin, length)).toString("latin1"), start: begin + length };
}

async function openMatrix(file: FileHandle): Promise<StoredRows> {
  const header = await readHeader(file);
  if (header === null) throw new Error("it is no .npy file");
  const { rows, columns } = npyHeader.exec(header.text)?.groups ?? {};
  if (rows === undefined || columns === undefined) {
    const found = header.text.trim().slice(0, 120);
    throw new Error(`a matrix of little-endian float32, row by row, was expected; it says ${found}`);
  }
  const [count, width] = [Number(rows), Number(columns)];
  const expected = header.start + count * width * Float32Array.BYTES_PER_ELEMENT;
  const { size } = await file.stat();
  if (size !== expected)
    throw new Error(`${count} × ${width} numbers make ${expected} bytes, it has ${size}`);
  return new RowFile(file, count, width, header.start);
}

/**
 * Opens a matrix that `npm run features` or numpy has written, of any size: rows are read from the file when they are
 * asked for, so leave it as it is meanwhile.
 *
 * @returns Rows as `Features` and `trainHead` take them.
 * @throws Error naming the file and what is wrong: no .npy, other numbers than float32, or cut short.
 */
export async function openNpy(path: string): Promise<StoredRows> {
  let file: FileHandle | null = null;
  try {
    file = await openRegularFile(path);
    return await openMatrix(file);
  } catch (error) {
    await file?.close();
    throw refusal(`${path} can't be read as features: ${(error as Error).message}.`, { cause: error });
  }
}
