import { atHand } from "./bytes";
import { readDirectories } from "./tiff-directories";

const orientationTag = 274;

/** The orientation in EXIF's own small TIFF, 1 to 8; 1 where it holds none. */
export function exifOrientation(exif: Uint8Array): number {
  const found = readDirectories(atHand(exif))?.[0]?.get(orientationTag)?.numbers[0] ?? 1;
  return Number.isInteger(found) && found >= 1 && found <= 8 ? found : 1;
}
