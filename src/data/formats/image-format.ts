import type { ImageFormat } from "./image-kind";

const signatures: readonly { format: ImageFormat; matches: (head: string) => boolean }[] = [
  { format: "PNG", matches: (head) => head.startsWith("89504e470d0a1a0a") },
  { format: "JPEG", matches: (head) => head.startsWith("ffd8ff") },
  { format: "TIFF", matches: (head) => /^(49492a00|4d4d002a|49492b00|4d4d002b)/.test(head) },
  { format: "WebP", matches: (head) => /^52494646.{8}57454250/.test(head) },
];

/**
 * The format that a file's first bytes announce, null if it is none of those that are read.
 *
 * The decoder would also take others, SVG among them, which may draw in other files.
 */
export function imageFormatOf(bytes: Uint8Array): ImageFormat | null {
  // Without Node's Buffer: browsers ask too.
  const head = Array.from(bytes.subarray(0, 12), (byte) => byte.toString(16).padStart(2, "0")).join("");
  return signatures.find((signature) => signature.matches(head))?.format ?? null;
}
