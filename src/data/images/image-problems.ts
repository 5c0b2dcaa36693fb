/** An image has at most this many pixels: a slide's patch has less than a million, a whole slide billions. */
export const pixelLimit = 100_000_000;
/** A file has at most this many bytes, so that decoding on every core fits in memory. */
export const fileSizeLimit: number = 512 * 1024 * 1024;

const signatures: readonly { format: string; matches: (head: string) => boolean }[] = [
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
export function imageFormatOf(bytes: Uint8Array): string | null {
  // Without Node's Buffer: browsers ask too.
  const head = Array.from(bytes.subarray(0, 12), (byte) => byte.toString(16).padStart(2, "0")).join("");
  return signatures.find((signature) => signature.matches(head))?.format ?? null;
}

const fileProblems: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  EACCES: "it may not be read with the rights of this user",
  EPERM: "it may not be read with the rights of this user",
  EISDIR: "it is a folder, not a file",
  ELOOP: "its symbolic links lead in a circle",
  EIO: "the disk reports an error when it is read",
};

/** Says in one sentence why a file could not be read from the disk. */
export function explainFileError(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code ?? "";
  return fileProblems[code] ?? `it can't be read (${code || String(error)})`;
}

/**
 * Says in one sentence why bytes could not be decoded.
 *
 * @param bytes - The file's content.
 * @param error - What sharp threw.
 */
export function explainDecodingError(bytes: Uint8Array, error: unknown): string {
  if (bytes.length === 0) return "the file is empty (0 bytes)";
  if (Buffer.from(bytes.subarray(0, 40)).toString("latin1").startsWith("version https://git-lfs")) {
    return "it is a Git LFS pointer, not the image itself; run `git lfs pull` where it was cloned";
  }
  const format = imageFormatOf(bytes);
  if (format === null) return "its content is not a PNG, JPEG, TIFF or WebP image";
  const message = error instanceof Error ? error.message : String(error);
  if (/pixel limit/i.test(message)) {
    return `it has more than ${pixelLimit / 1e6} million pixels; cut it into patches first`;
  }
  // Not the decoder's own words: its threads share one message buffer, so they may speak of another image.
  return format === "TIFF"
    ? "the TIFF file is damaged, cut short or of a kind that is not read; try to convert it to PNG"
    : `the ${format} file is damaged or cut short`;
}
