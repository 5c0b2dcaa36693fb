/// <reference path="./fast-png.d.ts" />
import { type DecodedPng, decode } from "fast-png";
import type { ImageKind } from "../src/data/formats/image-kind";
import { pngChunks } from "../src/data/formats/png";
import { type Samples, toRgbSamples } from "../src/data/formats/samples";
import type { RgbImage } from "./rgb-image";
import { turnUpright } from "./upright";

const signatureBytes = 8;
/** Texts and times say nothing of the pixels, and a mistake in them spoils nothing. */
const wanted = ["IHDR", "PLTE", "tRNS", "IDAT", "IEND"];

function withoutTexts(bytes: Uint8Array): Uint8Array {
  const parts = [bytes.subarray(0, signatureBytes)];
  for (const { type, whole } of pngChunks(bytes)) if (wanted.includes(type)) parts.push(whole);
  const kept = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    kept.set(part, at);
    at += part.length;
  }
  return kept;
}

/** One number a sample, where several share a byte. */
function unpack({ data, width, height, depth }: DecodedPng): Uint8Array {
  const perByte = 8 / depth;
  const rowBytes = Math.ceil(width / perByte);
  const mask = (1 << depth) - 1;
  const values = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const byte = data[y * rowBytes + Math.floor(x / perByte)]!;
      values[y * width + x] = (byte >> (8 - depth * ((x % perByte) + 1))) & mask;
    }
  }
  return values;
}

/** Colours for their numbers in the palette; RGB, or RGB and alpha. */
function lookUp(places: Uint8Array, palette: readonly number[][]): Samples {
  const channels = palette[0]!.length;
  const values = new Uint8Array(places.length * channels);
  for (const [i, place] of places.entries()) {
    const colour = palette[place];
    if (colour === undefined) throw new Error("a colour is missing in its palette");
    values.set(colour, i * channels);
  }
  return { values, channels, alpha: channels === 4 ? "straight" : "none", whitest: null };
}

/** One colour stands for what is transparent: it gets an alpha of 0, all others a full one. */
function withKey(values: Uint8Array | Uint16Array, channels: number, key: Uint16Array): Samples {
  const count = values.length / channels;
  const opaque = values instanceof Uint16Array ? 65535 : 255;
  const keyed =
    values instanceof Uint16Array
      ? new Uint16Array(count * (channels + 1))
      : new Uint8Array(count * (channels + 1));
  for (let i = 0; i < count; i++) {
    const pixel = values.subarray(i * channels, (i + 1) * channels);
    keyed.set(pixel, i * (channels + 1));
    const isKey = pixel.every((value, c) => value === key[c]);
    keyed[i * (channels + 1) + channels] = isKey ? 0 : opaque;
  }
  return { values: keyed, channels: channels + 1, alpha: "straight", whitest: null };
}

function samplesOf(png: DecodedPng, { alpha }: ImageKind): Samples {
  const { depth, channels, palette, transparency } = png;
  const packed = depth < 8 ? unpack(png) : (png.data as Uint8Array | Uint16Array);
  if (palette !== undefined) return lookUp(packed as Uint8Array, palette);
  const keyed =
    transparency === undefined
      ? { values: packed, channels, alpha, whitest: null }
      : withKey(packed, channels, transparency);
  if (depth >= 8) return keyed;
  // Grey of 1, 2 or 4 bits: white is its largest number. An alpha beside it is 0 or 255 already.
  const scale = 255 / ((1 << depth) - 1);
  const isColour = (i: number) => keyed.channels === 1 || i % 2 === 0;
  return {
    ...keyed,
    values: keyed.values.map((value, i) => (isColour(i) ? value * scale : value)) as Uint8Array,
  };
}

/**
 * Decodes a PNG as Node does, to the bit and in every browser: a canvas would round what is partly transparent.
 *
 * @param kind - What was understood of it.
 * @throws Error if it is damaged or cut short; with the reason, as the rest of a sentence, in `cause`, if it is known.
 */
export function decodePng(bytes: Uint8Array, kind: ImageKind): RgbImage {
  const png = decode(withoutTexts(bytes), { checkCrc: true });
  const samples = toRgbSamples(samplesOf(png, kind));
  if (samples.ok === false) throw new Error("left out", { cause: samples.reason });
  return turnUpright({ pixels: samples.rgb, width: png.width, height: png.height }, kind.orientation);
}
