#!/usr/bin/env bash
# fast-png 8.0.0: an interlaced (Adam7) grey PNG with fewer than 8 bits a sample is refused with "Unsupported filter: 224",
# as if it were damaged; the same picture without interlacing is read, and sharp reads both alike. It takes a byte for each
# sample of a pass. PNG (W3C, third edition, 8.1): each pass is packed as an image of its own, several samples in a byte.
# Seen with 8 x 8 pixels of 1 bit. Exits 0 while this is so, 1 when it has changed.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y > /dev/null
npm install --silent --ignore-scripts --no-audit --no-fund fast-png@8.0.0 sharp@0.35.5
cat > try.mjs <<'JS'
import zlib from "node:zlib";
import { decode } from "fast-png";
import sharp from "sharp";

const size = 8;
const bit = (x, y) => (x * 3 + y * 5) % 7 < 3 ? 1 : 0;
const packed = (bits) => Buffer.from(Array.from({ length: Math.ceil(bits.length / 8) }, (_, i) =>
  bits.slice(8 * i, 8 * i + 8).reduce((byte, one, at) => byte | (one << (7 - at)), 0)));
const row = (xs, y) => Buffer.concat([Buffer.from([0]), packed(xs.map((x) => bit(x, y)))]);
const range = (start, step) => Array.from({ length: Math.ceil((size - start) / step) }, (_, i) => start + i * step);
const passes = [[0, 0, 8, 8], [4, 0, 8, 8], [0, 4, 4, 8], [2, 0, 4, 4], [0, 2, 2, 4], [1, 0, 2, 2], [0, 1, 1, 2]];
const plain = Buffer.concat(range(0, 1).map((y) => row(range(0, 1), y)));
const adam7 = Buffer.concat(passes.flatMap(([x, y, dx, dy]) => range(y, dy).map((one) => row(range(x, dx), one))));
function chunk(kind, data) {
  const body = Buffer.concat([Buffer.from(kind), data]);
  const length = Buffer.alloc(4), sum = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(zlib.crc32(body));
  return Buffer.concat([length, body, sum]);
}
function png(rows, interlaced) {
  const header = Buffer.from([0, 0, 0, size, 0, 0, 0, size, 1, 0, 0, 0, interlaced]);
  return Buffer.concat([Buffer.from("89504e470d0a1a0a", "hex"), chunk("IHDR", header),
    chunk("IDAT", zlib.deflateSync(rows)), chunk("IEND", Buffer.alloc(0))]);
}
const files = [png(plain, 0), png(adam7, 1)];
const [one, other] = await Promise.all(files.map((file) => sharp(file).greyscale().raw().toBuffer()));
if (!one.equals(other)) throw new Error("The two files are not the same picture to sharp either.");
decode(files[0]);
let said = "nothing";
try {
  decode(files[1]);
} catch (error) {
  said = error.message;
}
console.log(`fast-png of the interlaced file: ${said}`);
process.exit(said.startsWith("Unsupported filter") ? 0 : 1);
JS
node try.mjs
