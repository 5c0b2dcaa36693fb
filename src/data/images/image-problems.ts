import { imageFormatOf } from "../formats/image-format";

/** The code that `openRegularFile` gives; not imported from there, since browsers have no files to open. */
const noFileCode = "ENOFILE";

/** A file has at most this many bytes, so that decoding on every core fits in memory. */
export const fileSizeLimit: number = 512 * 1024 * 1024;

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
  const { code = "", message } = error as NodeJS.ErrnoException;
  if (code === noFileCode) return message;
  return fileProblems[code] ?? `it can't be read (${code || String(error)})`;
}

/**
 * Says in one sentence what is known of a file that is no image at all, null where it may be one.
 *
 * @param bytes - The file's content.
 */
export function explainForeignContent(bytes: Uint8Array): string | null {
  if (bytes.length === 0) return "the file is empty (0 bytes)";
  if (Buffer.from(bytes.subarray(0, 40)).toString("latin1").startsWith("version https://git-lfs")) {
    return "it is a Git LFS pointer, not the image itself; run `git lfs pull` where it was cloned";
  }
  return null;
}

/**
 * Says in one sentence why the bytes of an image could not be decoded.
 *
 * Not in the decoder's own words: its threads share one message buffer, so they may speak of another image.
 */
export function explainDecodingError(bytes: Uint8Array): string {
  const format = imageFormatOf(bytes);
  return format === "TIFF"
    ? "the TIFF file is damaged, cut short or of a kind that is not read; try to convert it to PNG"
    : `the ${format} file is damaged or cut short`;
}
