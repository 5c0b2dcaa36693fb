import { hasImageExtension } from "../../layouts/folder-walk";
import { lastingError } from "../download-problems";

/** What an archive may ask of this machine; whoever asks for more is refused. */
export interface ArchiveLimits {
  /** Files and folders. Default 1,000,000; IDC, the largest set known here, has 280,000. */
  entries: number;
  /** One file's bytes. Default 256 MiB; a BreaKHis image has half a MiB. */
  fileBytes: number;
  /** Bytes of all that is kept. Default 64 GiB. */
  totalBytes: number;
  /** Bytes that a server may send. Default 64 GiB. */
  archiveBytes: number;
  /** How many times larger than the archive its content may be. Default 100; images reach 1. */
  expansion: number;
  /** Content of so many bytes may be of any proportion. Default 64 MiB. */
  unmeasuredBytes: number;
}

export const defaultLimits: ArchiveLimits = {
  entries: 1_000_000,
  fileBytes: 2 ** 28,
  totalBytes: 2 ** 36,
  archiveBytes: 2 ** 36,
  expansion: 100,
  unmeasuredBytes: 2 ** 26,
};

/** Refuses content that is out of all proportion to the archive: a bomb. */
export function checkExpansion(packedBytes: number, unpackedBytes: number, limits: ArchiveLimits): void {
  if (unpackedBytes <= limits.unmeasuredBytes) return;
  if (unpackedBytes <= packedBytes * limits.expansion) return;
  throw lastingError(
    `the archive's content is more than ${limits.expansion} times larger than the archive, ` +
      "which images never are: it looks like a bomb",
  );
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for.
const controlCharacters = /[\u0000-\u001f\u007f]/;
const segmentBytes = 255;
const pathBytes = 1024;

/**
 * Makes sure that a name in an archive stays in the folder that it is unpacked into, on any system.
 *
 * @returns Segments, the last one the file's name; none for the folder itself.
 * @throws Error whose message is the rest of a sentence.
 */
export function safeSegments(name: string): string[] {
  const shown = JSON.stringify(name.slice(0, 200));
  const refuse = (why: string) => lastingError(`the archive holds ${shown}, ${why}; nothing was unpacked`);
  if (controlCharacters.test(name)) throw refuse("a name with control characters");
  if (/^[\\/]/.test(name) || /^[A-Za-z]:/.test(name)) throw refuse("an absolute path");
  if (name.includes("\\")) throw refuse("a path with backslashes");
  const segments = name.split("/").filter((segment) => segment !== "" && segment !== ".");
  if (segments.includes("..")) throw refuse("a path that leaves its folder");
  const tooLong = segments.some((segment) => Buffer.byteLength(segment) > segmentBytes);
  if (tooLong || Buffer.byteLength(name) > pathBytes) throw refuse("a name that is too long");
  return segments;
}

const clutterSegment = /^(?:\..*|__MACOSX|thumbs\.db|desktop\.ini)$/i;
const companions =
  /(?:\.csv|^(?:readme|licen[cs]e|citation|dataset)[^/]*\.(?:txt|md)|^(?:readme|licen[cs]e))$/i;

/** Whether a file belongs to a set of images: an image, a table of labels, a licence; not what systems leave behind. */
export function belongsToSet(segments: readonly string[]): boolean {
  const name = segments.at(-1) ?? "";
  if (segments.some((segment) => clutterSegment.test(segment))) return false;
  return hasImageExtension(name) || companions.test(name);
}
