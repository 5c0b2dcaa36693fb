import { latin1, viewOf } from "./bytes";
import { readProfile } from "./colour-profile";
import { leftOut, type Understanding, usualKind } from "./image-kind";

interface Chunk {
  type: string;
  data: Uint8Array;
}

function* chunksOf(bytes: Uint8Array): Generator<Chunk> {
  const view = viewOf(bytes);
  let at = 12;
  while (at + 8 <= bytes.length) {
    const length = view.getUint32(at + 4, true);
    yield {
      type: latin1(bytes.subarray(at, at + 4)),
      data: bytes.subarray(at + 8, Math.min(bytes.length, at + 8 + length)),
    };
    at += 8 + length + (length % 2);
  }
}

const animationFlag = 0x02;
const three = (data: Uint8Array, at: number) => data[at]! | (data[at + 1]! << 8) | (data[at + 2]! << 16);

interface Size {
  width: number;
  height: number;
}

function sizeOf({ type, data }: Chunk): (Size & { hasAlpha: boolean }) | null {
  if (data.length < 10) return null;
  const view = viewOf(data);
  if (type === "VP8X") {
    return { width: three(data, 4) + 1, height: three(data, 7) + 1, hasAlpha: (data[0]! & 0x10) !== 0 };
  }
  if (type === "VP8 ") {
    const [width, height] = [view.getUint16(6, true) & 0x3fff, view.getUint16(8, true) & 0x3fff];
    return { width, height, hasAlpha: false };
  }
  if (type !== "VP8L") return null;
  const packed = view.getUint32(1, true);
  return {
    width: (packed & 0x3fff) + 1,
    height: ((packed >>> 14) & 0x3fff) + 1,
    hasAlpha: ((packed >>> 28) & 1) === 1,
  };
}

/** Reads what a WebP says of its numbers (RFC 9649). */
export function understandWebp(bytes: Uint8Array): Understanding {
  const chunks = [...chunksOf(bytes)];
  const first = chunks[0];
  const size = first === undefined ? null : sizeOf(first);
  if (first === undefined || size === null) return leftOut("the WebP file is damaged or cut short");
  if (first.type === "VP8X" && (first.data[0]! & animationFlag) !== 0) {
    return leftOut("it is an animation; save one of its pictures by itself");
  }
  const profile = readProfile(chunks.find(({ type }) => type === "ICCP")?.data ?? null, "rgb");
  if (profile.ok === false) return profile;
  const { width, height, hasAlpha } = size;
  const alpha = hasAlpha ? "straight" : "none";
  return { ok: true, kind: { ...usualKind, format: "WebP", width, height, alpha, profile: profile.kind } };
}
