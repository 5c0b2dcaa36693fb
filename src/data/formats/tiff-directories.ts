import { viewOf } from "./bytes";

/** A field of a TIFF's directory. */
export interface TiffField {
  /** Of texts and unknown types empty. */
  numbers: number[];
  /** Its bytes as they lie in the file. */
  bytes: Uint8Array;
}

export type TiffDirectory = ReadonlyMap<number, TiffField>;

/** Bytes of a value by the field's type, from 1; 0 where there is none such. */
const typeBytes = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8];
/** A whole slide has a few, a stack some thousands. */
const directoryLimit = 10_000;
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

/** Where a TIFF's parts lie; a BigTIFF has places and counts of 8 bytes. */
interface Dialect {
  view: DataView;
  isLittle: boolean;
  isBig: boolean;
}

const place = ({ view, isLittle, isBig }: Dialect, at: number) =>
  isBig ? unsigned64(view, at, isLittle) : view.getUint32(at, isLittle);

function readField(bytes: Uint8Array, dialect: Dialect, at: number): TiffField {
  const { view, isLittle, isBig } = dialect;
  const type = view.getUint16(at + 2, isLittle);
  const size = typeBytes[type] ?? 0;
  const count = place(dialect, at + 4);
  const inline = at + (isBig ? 12 : 8);
  const start = size * count <= (isBig ? 8 : 4) ? inline : place(dialect, inline);
  const end = start + size * count;
  if (end > bytes.length) return { numbers: [], bytes: new Uint8Array() };
  const read = readers[type];
  const numbers =
    read === undefined
      ? []
      : Array.from({ length: Math.min(count, valueLimit) }, (_, i) => read(view, start + i * size, isLittle));
  return { numbers, bytes: bytes.subarray(start, end) };
}

function readDirectory(bytes: Uint8Array, dialect: Dialect, at: number) {
  const { view, isLittle, isBig } = dialect;
  const count = isBig ? unsigned64(view, at, isLittle) : view.getUint16(at, isLittle);
  const [first, size] = isBig ? [at + 8, 20] : [at + 2, 12];
  const end = first + size * count;
  if (end + (isBig ? 8 : 4) > bytes.length) return null;
  const fields = new Map<number, TiffField>();
  for (let entry = first; entry < end; entry += size) {
    fields.set(view.getUint16(entry, isLittle), readField(bytes, dialect, entry));
  }
  return { fields, next: place(dialect, end) };
}

/**
 * Reads the directories of a TIFF or BigTIFF, one a page, in the file's order (TIFF 6.0, section 2).
 *
 * @returns Null if the file is no TIFF, or cut short before the end of a directory.
 */
export function readDirectories(bytes: Uint8Array): TiffDirectory[] | null {
  if (bytes.length < 16) return null;
  const view = viewOf(bytes);
  const isLittle = view.getUint16(0) === 0x4949;
  const magic = view.getUint16(2, isLittle);
  if (magic !== 42 && magic !== 43) return null;
  const dialect = { view, isLittle, isBig: magic === 43 };
  const directories: TiffDirectory[] = [];
  const seen = new Set<number>();
  let at = place(dialect, magic === 43 ? 8 : 4);
  while (at !== 0 && !seen.has(at) && directories.length < directoryLimit) {
    seen.add(at);
    if (at + 8 > bytes.length) return null;
    const directory = readDirectory(bytes, dialect, at);
    if (directory === null) return null;
    directories.push(directory.fields);
    at = directory.next;
  }
  return directories;
}
