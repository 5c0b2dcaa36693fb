/**
 * Images that were just looked into, stretched to the size that their features will be computed at: whoever opens a set to
 * compute its features needs not decode every file a second time. In memory, each until it is taken or the features are
 * done; what does not fit is decoded again.
 */

/** 2,674 images of 224 pixels. */
const mostBytes = 384 * 1024 * 1024;

const kept = new Map<string, Uint8Array>();
let keptBytes = 0;

const keyOf = (sha256: string, size: number): string => `${sha256} ${size}`;

/** Whether one more image of this size may be kept. */
export const hasRoomFor = (size: number): boolean => keptBytes + 3 * size * size <= mostBytes;

/** @param pixels - Shape [size, size, 3], stretched bicubically; not to be changed any more. */
export function keepStretched(sha256: string, size: number, pixels: Uint8Array): void {
  const key = keyOf(sha256, size);
  if (kept.has(key) || !hasRoomFor(size)) return;
  kept.set(key, pixels);
  keptBytes += pixels.length;
}

/** The pixels of the file with this checksum, which are no longer kept; null where they never were. */
export function takeStretched(sha256: string, size: number): Uint8Array | null {
  const key = keyOf(sha256, size);
  const pixels = kept.get(key) ?? null;
  if (pixels === null) return null;
  kept.delete(key);
  keptBytes -= pixels.length;
  return pixels;
}

/** Frees what nobody took. */
export function forgetStretched(): void {
  kept.clear();
  keptBytes = 0;
}
