import { crc32, deflateSync } from "node:zlib";

/** A chunk of a PNG: its four letters and what is in it. */
export type PngChunk = readonly [type: string, data: Uint8Array];

function chunk(type: string, data: Uint8Array): Buffer {
  const whole = Buffer.alloc(12 + data.length);
  whole.writeUInt32BE(data.length, 0);
  whole.write(type, 4, "latin1");
  whole.set(data, 8);
  whole.writeUInt32BE(crc32(whole.subarray(4, 8 + data.length)), 8 + data.length);
  return whole;
}

/** Samples of a row behind each other, rows beginning with a byte of their own, as PNG has them. */
function pack(values: ArrayLike<number>, rowLength: number, depth: number): Buffer {
  const rows = values.length / rowLength;
  const rowBytes = Math.ceil((rowLength * depth) / 8);
  const packed = Buffer.alloc(rows * (rowBytes + 1));
  for (let i = 0; i < values.length; i++) {
    const bit = (i % rowLength) * depth;
    const at = Math.floor(i / rowLength) * (rowBytes + 1) + 1 + (bit >> 3);
    if (depth === 16) packed.writeUInt16BE(values[i]!, at);
    else packed[at]! |= values[i]! << (8 - depth - (bit & 7));
  }
  return packed;
}

const channelsByType: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };

/**
 * Writes a PNG of any colour type and depth, not interlaced.
 *
 * @param options.chunks - What stands between the header and the pixels: palette, transparency, profile and the like.
 */
export function encodePng(options: {
  width: number;
  height: number;
  depth: number;
  colourType: 0 | 2 | 3 | 4 | 6;
  values: ArrayLike<number>;
  chunks?: readonly PngChunk[];
}): Buffer {
  const { width, height, depth, colourType, values, chunks = [] } = options;
  const header = Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, depth, colourType, 0, 0, 0]);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  const pixels = deflateSync(pack(values, width * channelsByType[colourType]!, depth));
  return Buffer.concat([
    Buffer.from("89504e470d0a1a0a", "hex"),
    chunk("IHDR", header),
    ...chunks.map(([type, data]) => chunk(type, data)),
    chunk("IDAT", pixels),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}
