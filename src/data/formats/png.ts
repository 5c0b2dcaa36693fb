import { Unzlib } from "fflate";
import { latin1, viewOf } from "./bytes";
import { readProfile } from "./colour-profile";
import { exifOrientation } from "./exif";
import { type ImageKind, leftOut, type Understanding, usualKind } from "./image-kind";

const signatureBytes = 8;
/** The largest profiles in use, for printing, have 3 MB. */
const profileLimit = 8 * 1024 * 1024;
const slice = 4096;

interface Chunk {
  type: string;
  data: Uint8Array;
  /** With its length and checksum. */
  whole: Uint8Array;
}

/** The chunks of a PNG in their order, as far as they are whole. */
export function* pngChunks(bytes: Uint8Array): Generator<Chunk> {
  const view = viewOf(bytes);
  let at = signatureBytes;
  while (at + 12 <= bytes.length) {
    const end = at + 12 + view.getUint32(at);
    if (end > bytes.length) return;
    yield {
      type: latin1(bytes.subarray(at + 4, at + 8)),
      data: bytes.subarray(at + 8, end - 4),
      whole: bytes.subarray(at, end),
    };
    at = end;
  }
}

/** A compressed profile, or an empty one, which is a damaged one, where it can't be had. */
function inflateProfile(data: Uint8Array): Uint8Array {
  const start = data.indexOf(0) + 2;
  const parts: Uint8Array[] = [];
  let total = 0;
  const inflator = new Unzlib((part) => {
    parts.push(part);
    total += part.length;
  });
  try {
    for (let at = start; at < data.length && total <= profileLimit; at += slice) {
      inflator.push(data.subarray(at, at + slice), at + slice >= data.length);
    }
  } catch {
    return new Uint8Array();
  }
  if (total > profileLimit) return new Uint8Array();
  const profile = new Uint8Array(total);
  let at = 0;
  for (const part of parts) {
    profile.set(part, at);
    at += part.length;
  }
  return profile;
}

/** sRGB's gamma and primaries as gAMA and cHRM write them, in 1 / 100000. */
const srgbGamma = 45455;
const srgbChromaticities = [31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000];
const gammaTolerance = 0.05;
const chromaticityTolerance = 1000;
/** cICP: sRGB's or BT.709's primaries with sRGB's tone curve, RGB, full range. */
const srgbCodePoints = [1, 13, 0, 1];

/** Why numbers are not sRGB's, if a file says so in other words than by a profile. */
function otherColours(chunks: ReadonlyMap<string, Uint8Array>): string | null {
  const convert = "; convert it to sRGB";
  const codes = chunks.get("cICP");
  if (codes !== undefined && !srgbCodePoints.every((code, i) => codes[i] === code)) {
    return `its colours are not sRGB's (cICP ${[...codes].join(" ")})${convert}`;
  }
  // A profile and the mark of sRGB come before these two (PNG 3rd edition, 4.3).
  if (codes !== undefined || chunks.has("iCCP") || chunks.has("sRGB")) return null;
  const gamma = chunks.get("gAMA");
  if (gamma?.length === 4) {
    const found = viewOf(gamma).getUint32(0);
    if (Math.abs(found / srgbGamma - 1) > gammaTolerance) {
      return `its gamma is ${found / 1e5}, sRGB's ${srgbGamma / 1e5}${convert}`;
    }
  }
  const primaries = chunks.get("cHRM");
  if (primaries?.length === 32) {
    const view = viewOf(primaries);
    const isFar = srgbChromaticities.some(
      (value, i) => Math.abs(view.getUint32(4 * i) - value) > chromaticityTolerance,
    );
    if (isFar) return `its primaries (cHRM) are not sRGB's${convert}`;
  }
  return null;
}

const colourTypes: Readonly<Record<number, Pick<ImageKind, "colours" | "alpha">>> = {
  0: { colours: "grey", alpha: "none" },
  2: { colours: "rgb", alpha: "none" },
  3: { colours: "palette", alpha: "none" },
  4: { colours: "grey", alpha: "straight" },
  6: { colours: "rgb", alpha: "straight" },
};

/** Reads what a PNG says of its numbers (W3C, Portable Network Graphics, 3rd edition). */
export function understandPng(bytes: Uint8Array): Understanding {
  const chunks = new Map<string, Uint8Array>();
  for (const { type, data } of pngChunks(bytes)) {
    if (type === "IDAT") break;
    if (!chunks.has(type)) chunks.set(type, data);
  }
  const header = chunks.get("IHDR");
  const colours = colourTypes[header?.[9] ?? -1];
  if (header === undefined || header.length !== 13 || colours === undefined) {
    return leftOut("the PNG file is damaged or cut short");
  }
  if (chunks.has("acTL")) return leftOut("it is an animation; save one of its pictures by itself");
  const reason = otherColours(chunks);
  if (reason !== null) return leftOut(reason);
  const compressed = chunks.get("iCCP");
  const profile = readProfile(compressed === undefined ? null : inflateProfile(compressed), colours.colours);
  if (profile.ok === false) return profile;
  const view = viewOf(header);
  const exif = chunks.get("eXIf");
  return {
    ok: true,
    kind: {
      ...usualKind,
      format: "PNG",
      width: view.getUint32(0),
      height: view.getUint32(4),
      bits: header[8]!,
      ...colours,
      alpha: chunks.has("tRNS") ? "straight" : colours.alpha,
      profile: profile.kind,
      orientation: exif === undefined ? 1 : exifOrientation(exif),
    },
  };
}
