import { latin1, viewOf } from "./bytes";
import type { ProfileKind } from "./image-kind";

type ProfileReading = { ok: true; kind: ProfileKind } | { ok: false; reason: string };

/** sRGB's primaries as profiles hold them: XYZ, adapted to D50 (IEC 61966-2-1, ICC's own sRGB profile). */
const srgbPrimaries: Readonly<Record<string, readonly [number, number, number]>> = {
  rXYZ: [0.43607, 0.22249, 0.01392],
  gXYZ: [0.38515, 0.71687, 0.09708],
  bXYZ: [0.14307, 0.06061, 0.7141],
};
/** Writers round differently; the nearest other primaries in use are ten times as far. */
const primariesTolerance = 0.002;
/** A curve is sRGB's if no 8-bit number would become another one. */
const levelTolerance = 0.5;

const headerBytes = 128;
const fixedOne = 65536;

/** sRGB's own number for a share of light, 0 to 1. */
const encodeSrgb = (light: number) =>
  light <= 0.0031308 ? 12.92 * light : 1.055 * light ** (1 / 2.4) - 0.055;

/** The tags of a profile by their names, or null where its table does not fit it. */
function readTags(profile: Uint8Array): Map<string, Uint8Array> | null {
  const view = viewOf(profile);
  const count = view.getUint32(headerBytes);
  if (headerBytes + 4 + 12 * count > profile.length) return null;
  const tags = new Map<string, Uint8Array>();
  for (let i = 0; i < count; i++) {
    const entry = headerBytes + 4 + 12 * i;
    const [start, length] = [view.getUint32(entry + 4), view.getUint32(entry + 8)];
    if (start + length > profile.length) return null;
    tags.set(latin1(profile.subarray(entry, entry + 4)), profile.subarray(start, start + length));
  }
  return tags;
}

function hasSrgbPrimaries(tags: ReadonlyMap<string, Uint8Array>): boolean {
  return Object.entries(srgbPrimaries).every(([name, expected]) => {
    const tag = tags.get(name);
    if (tag === undefined || tag.length < 20) return false;
    const view = viewOf(tag);
    return expected.every(
      (value, i) => Math.abs(view.getInt32(8 + 4 * i) / fixedOne - value) <= primariesTolerance,
    );
  });
}

/** A tone curve from numbers of 0 to 1 to light of 0 to 1, or null where it is of a kind that is not told. */
function readCurve(tag: Uint8Array | undefined): ((value: number) => number) | null {
  if (tag === undefined || tag.length < 12) return null;
  const view = viewOf(tag);
  const type = latin1(tag.subarray(0, 4));
  if (type === "curv") {
    const count = view.getUint32(8);
    if (count === 0) return (value) => value;
    if (12 + 2 * count > tag.length) return null;
    if (count === 1) return (value) => value ** (view.getUint16(12) / 256);
    return (value) => {
      const place = value * (count - 1);
      const first = Math.min(count - 2, Math.floor(place));
      const at = (index: number) => view.getUint16(12 + 2 * index) / 65535;
      return at(first) + (place - first) * (at(first + 1) - at(first));
    };
  }
  // A power above a point and a line below it, as sRGB's formula is written.
  if (type === "para" && view.getUint16(8) === 3 && tag.length >= 32) {
    const [g, a, b, c, d] = [0, 1, 2, 3, 4].map((i) => view.getInt32(12 + 4 * i) / fixedOne) as number[];
    return (value) => (value >= d! ? (a! * value + b!) ** g! : c! * value);
  }
  return null;
}

function hasSrgbCurves(tags: ReadonlyMap<string, Uint8Array>): boolean {
  return ["rTRC", "gTRC", "bTRC"].every((name) => {
    const curve = readCurve(tags.get(name));
    if (curve === null) return false;
    for (let level = 0; level < 256; level++) {
      const found = 255 * encodeSrgb(curve(level / 255));
      if (!(Math.abs(found - level) < levelTolerance)) return false;
    }
    return true;
  });
}

const colourSpaces = { grey: "GRAY", rgb: "RGB ", palette: "RGB ", cmyk: "CMYK" } as const;
const spaceNames: Readonly<Record<string, string>> = { GRAY: "grey", "RGB ": "RGB", CMYK: "CMYK" };

/**
 * Tells what an ICC profile asks for.
 *
 * A profile of sRGB's primaries and tone curve asks for nothing: its numbers are taken as they are, also of a grey image.
 *
 * @param profile - Null where the file has none.
 * @param colours - Of the image.
 * @returns A reason, as the rest of a sentence, if the profile is damaged or for other colours than the image has.
 */
export function readProfile(profile: Uint8Array | null, colours: keyof typeof colourSpaces): ProfileReading {
  if (profile === null) return { ok: true, kind: "none" };
  const damaged: ProfileReading = { ok: false, reason: "its colour profile is damaged; convert it to sRGB" };
  if (profile.length < headerBytes + 4 || latin1(profile.subarray(36, 40)) !== "acsp") return damaged;
  const tags = readTags(profile);
  if (tags === null) return damaged;
  const space = latin1(profile.subarray(16, 20));
  const isSrgb = space === "RGB " && !tags.has("A2B0") && hasSrgbPrimaries(tags) && hasSrgbCurves(tags);
  if (isSrgb && colours !== "cmyk") return { ok: true, kind: "srgb" };
  if (space !== colourSpaces[colours]) {
    const found = spaceNames[space] ?? "other";
    const expected = spaceNames[colourSpaces[colours]];
    return {
      ok: false,
      reason: `its colour profile is for ${found} colours, and it has ${expected} ones; convert it to sRGB`,
    };
  }
  return { ok: true, kind: "other" };
}
