/** A page of a TIFF: one strip, not compressed. */
export interface TiffPage {
  width: number;
  height: number;
  /** Little-endian, as they lie in the file. */
  data: Buffer;
  bits: number;
  channels: number;
  /** 1 unsigned (the default), 2 signed, 3 floating-point. */
  format?: number;
  /** 1 black is zero, 2 RGB. */
  photometric: number;
  /** Others by their number; texts are written with their end. */
  tags?: Readonly<Record<number, number | readonly number[] | string>>;
}

type Value = number | readonly number[] | string;

/** Numbers above 16 bits are written as 32. */
function encodeValue(value: Value): { type: number; count: number; bytes: Buffer } {
  if (typeof value === "string") {
    const bytes = Buffer.from(`${value}\0`, "latin1");
    return { type: 2, count: bytes.length, bytes };
  }
  const numbers = typeof value === "number" ? [value] : value;
  const isLong = numbers.some((number) => number > 65535);
  const bytes = Buffer.alloc(numbers.length * (isLong ? 4 : 2));
  for (const [i, number] of numbers.entries()) {
    if (isLong) bytes.writeUInt32LE(number, 4 * i);
    else bytes.writeUInt16LE(number, 2 * i);
  }
  return { type: isLong ? 4 : 3, count: numbers.length, bytes };
}

function encodePage(page: TiffPage, start: number, isLast: boolean): Buffer {
  const { width, height, data, bits, channels, format = 1, photometric, tags = {} } = page;
  const all: Record<number, Value> = {
    256: width,
    257: height,
    258: Array.from({ length: channels }, () => bits),
    259: 1,
    262: photometric,
    273: 0,
    277: channels,
    278: height,
    279: data.length,
    339: Array.from({ length: channels }, () => format),
    ...tags,
  };
  const entries = Object.entries(all).map(([tag, value]) => ({ tag: Number(tag), ...encodeValue(value) }));
  const directoryBytes = 2 + 12 * entries.length + 4;
  const beside = entries.map(({ bytes }) => (bytes.length > 4 ? bytes.length + (bytes.length % 2) : 0));
  const dataStart = start + directoryBytes + beside.reduce((sum, length) => sum + length, 0);
  const head = Buffer.alloc(dataStart - start);
  head.writeUInt16LE(entries.length, 0);
  let besideAt = start + directoryBytes;
  for (const [i, { tag, type, count, bytes }] of entries.entries()) {
    const at = 2 + 12 * i;
    head.writeUInt16LE(tag, at);
    head.writeUInt16LE(tag === 273 ? 4 : type, at + 2);
    head.writeUInt32LE(count, at + 4);
    if (tag === 273) head.writeUInt32LE(dataStart, at + 8);
    else if (bytes.length <= 4) bytes.copy(head, at + 8);
    else {
      head.writeUInt32LE(besideAt, at + 8);
      bytes.copy(head, besideAt - start);
      besideAt += beside[i]!;
    }
  }
  const padded = Buffer.concat([data, Buffer.alloc(data.length % 2)]);
  if (!isLast) head.writeUInt32LE(dataStart + padded.length, directoryBytes - 4);
  return Buffer.concat([head, padded]);
}

/** Writes a little-endian TIFF of one or more pages (TIFF 6.0, sections 2 and 8). */
export function encodeTiff(pages: readonly TiffPage[]): Buffer {
  const parts: Buffer[] = [Buffer.from("49492a0008000000", "hex")];
  let at = 8;
  for (const [i, page] of pages.entries()) {
    const part = encodePage(page, at, i === pages.length - 1);
    parts.push(part);
    at += part.length;
  }
  return Buffer.concat(parts);
}
