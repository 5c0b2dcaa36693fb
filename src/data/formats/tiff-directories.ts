import { type ByteSource, viewOf } from "./bytes";

/** A field of a TIFF's directory. */
export interface TiffField {
  /** Of texts and unknown types empty. */
  numbers: number[];
  /** Its bytes as they lie in the file; of numbers the first ones. */
  bytes: Uint8Array;
}

export type TiffDirectory = ReadonlyMap<number, TiffField>;

/** Bytes of a value by the field's type, from 1; 0 where there is none such. */
const typeBytes = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8];
/** A whole slide has a few, a stack some thousands. */
const directoryLimit = 10_000;
/** A longer text or profile is none. */
const textLimit = 64 * 1024 * 1024;
/** Of more values (places of strips) only the first ones are looked at. */
const valueLimit = 16;

type ReadNumber = (view: DataView, at: number, isLittle: boolean) => number;
const unsigned64: ReadNumber = (view, at, isLittle) => Number(view.getBigUint64(at, isLittle));
const readers: Readonly<Record<number, ReadNumber>> = {
  1: (view, at) => view.getUint8(at),
  3: (view, at, isLittle) => view.getUint16(at, isLittle),
  4: (view, at, isLittle) => view.getUint32(at, isLittle),
  5: (view, at, isLittle) => view.getUint32(at, isLittle) / view.getUint32(at + 4, isLittle),
  6: (view, at) => view.getInt8(at),
  8: (view, at, isLittle) => view.getInt16(at, isLittle),
  9: (view, at, isLittle) => view.getInt32(at, isLittle),
  11: (view, at, isLittle) => view.getFloat32(at, isLittle),
  12: (view, at, isLittle) => view.getFloat64(at, isLittle),
  13: (view, at, isLittle) => view.getUint32(at, isLittle),
  16: unsigned64,
  18: unsigned64,
};

/** How a TIFF's numbers lie; a BigTIFF has places and counts of 8 bytes. */
interface Dialect {
  isLittle: boolean;
  isBig: boolean;
}

const place = (view: DataView, { isLittle, isBig }: Dialect, at: number) =>
  isBig ? unsigned64(view, at, isLittle) : view.getUint32(at, isLittle);

/** @param at - Where the field's entry lies in its directory. */
function readField(file: ByteSource, dialect: Dialect, directory: Uint8Array, at: number): TiffField {
  const { isLittle, isBig } = dialect;
  const entry = viewOf(directory);
  const type = entry.getUint16(at + 2, isLittle);
  const size = typeBytes[type] ?? 0;
  const count = place(entry, dialect, at + 4);
  const inline = at + (isBig ? 12 : 8);
  const read = readers[type];
  // Texts and profiles are taken whole, of numbers the first ones.
  const isText = read === undefined || size === 1;
  const wanted = size * (isText ? count : Math.min(count, valueLimit));
  const isInline = size * count <= (isBig ? 8 : 4);
  const start = isInline ? inline : place(entry, dialect, inline);
  if (start + size * count > (isInline ? directory.length : file.length) || wanted > textLimit) {
    return { numbers: [], bytes: new Uint8Array() };
  }
  const bytes = isInline ? directory.subarray(start, start + wanted) : file.part(start, start + wanted);
  const view = viewOf(bytes);
  const numbers =
    read === undefined
      ? []
      : Array.from({ length: Math.min(count, valueLimit) }, (_, i) => read(view, i * size, isLittle));
  return { numbers, bytes };
}

function readDirectory(file: ByteSource, dialect: Dialect, at: number) {
  const { isLittle, isBig } = dialect;
  const countBytes = isBig ? 8 : 2;
  const counted = viewOf(file.part(at, at + countBytes));
  const count = isBig ? unsigned64(counted, 0, isLittle) : counted.getUint16(0, isLittle);
  const size = isBig ? 20 : 12;
  const first = at + countBytes;
  const end = size * count;
  const next = isBig ? 8 : 4;
  if (first + end + next > file.length) return null;
  const directory = file.part(first, first + end + next);
  const view = viewOf(directory);
  const fields = new Map<number, TiffField>();
  for (let entry = 0; entry < end; entry += size) {
    fields.set(view.getUint16(entry, isLittle), readField(file, dialect, directory, entry));
  }
  return { fields, next: place(view, dialect, end) };
}

/**
 * Reads the directories of a TIFF or BigTIFF, one a page, in the file's order (TIFF 6.0, section 2).
 *
 * @returns Null if the file is no TIFF, or cut short before the end of a directory.
 */
export function readDirectories(file: ByteSource): TiffDirectory[] | null {
  if (file.length < 16) return null;
  const view = viewOf(file.part(0, 16));
  const isLittle = view.getUint16(0) === 0x4949;
  const magic = view.getUint16(2, isLittle);
  if (magic !== 42 && magic !== 43) return null;
  const dialect = { isLittle, isBig: magic === 43 };
  const directories: TiffDirectory[] = [];
  const seen = new Set<number>();
  let at = place(view, dialect, magic === 43 ? 8 : 4);
  while (at !== 0 && !seen.has(at) && directories.length < directoryLimit) {
    seen.add(at);
    if (at + 8 > file.length) return null;
    const directory = readDirectory(file, dialect, at);
    if (directory === null) return null;
    directories.push(directory.fields);
    at = directory.next;
  }
  return directories;
}
