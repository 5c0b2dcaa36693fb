import { latin1, viewOf } from "./bytes";
import { readProfile } from "./colour-profile";
import { type ImageKind, leftOut, type Understanding, usualKind } from "./image-kind";

const profileMark = "ICC_PROFILE\0";
/** Baseline, extended and progressive, coded by Huffman. */
const readFrames = [0xc0, 0xc1, 0xc2];
/** All that tell of a frame: C4, C8 and CC are something else. */
const isFrame = (marker: number) => marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
const startOfScan = 0xda;
const standsAlone = (marker: number) => marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8);

interface Segment {
  marker: number;
  data: Uint8Array;
}

/** The segments before the first scan. */
function* segmentsOf(bytes: Uint8Array): Generator<Segment> {
  let at = 2;
  while (at + 4 <= bytes.length && bytes[at] === 0xff) {
    const marker = bytes[at + 1]!;
    if (marker === 0xff) at += 1;
    else if (standsAlone(marker)) at += 2;
    else {
      if (marker === startOfScan) return;
      const end = at + 2 + viewOf(bytes).getUint16(at + 2);
      if (end > bytes.length) return;
      yield { marker, data: bytes.subarray(at + 4, end) };
      at = end;
    }
  }
}

/** A profile's parts, each with its number, put together; null where there is none. */
function joinProfile(parts: readonly Uint8Array[]): Uint8Array | null {
  if (parts.length === 0) return null;
  const sorted = [...parts].sort((one, other) => one[0]! - other[0]!);
  const profile = new Uint8Array(sorted.reduce((sum, part) => sum + part.length - 2, 0));
  let at = 0;
  for (const part of sorted) {
    profile.set(part.subarray(2), at);
    at += part.length - 2;
  }
  return profile;
}

const coloursByCount: Readonly<Record<number, ImageKind["colours"]>> = { 1: "grey", 3: "rgb", 4: "cmyk" };

/** Reads what a JPEG says of its numbers (ITU-T T.81, annex B; ICC.1, annex B.4 for the profile). */
export function understandJpeg(bytes: Uint8Array): Understanding {
  let frame: Segment | null = null;
  const parts: Uint8Array[] = [];
  for (const segment of segmentsOf(bytes)) {
    if (isFrame(segment.marker) || segment.marker === 0xf7) frame ??= segment;
    const isProfile = segment.marker === 0xe2 && latin1(segment.data.subarray(0, 12)) === profileMark;
    if (isProfile && segment.data.length > 14) parts.push(segment.data.subarray(12));
  }
  if (frame === null || frame.data.length < 6) return leftOut("the JPEG file is damaged or cut short");
  const [bits, components] = [frame.data[0]!, frame.data[5]!];
  const colours = coloursByCount[components];
  if (!readFrames.includes(frame.marker) || colours === undefined) {
    return leftOut("it is a JPEG of a rare kind (lossless, arithmetic or hierarchical); convert it to PNG");
  }
  if (bits !== 8) return leftOut(`it is a JPEG of ${bits} bits, and only 8 are read; convert it to PNG`);
  const profile = readProfile(joinProfile(parts), colours);
  if (profile.ok === false) return profile;
  const view = viewOf(frame.data);
  const [height, width] = [view.getUint16(1), view.getUint16(3)];
  return { ok: true, kind: { ...usualKind, format: "JPEG", width, height, colours, profile: profile.kind } };
}
