import { type FileHandle, mkdir, open } from "node:fs/promises";
import { dirname, join } from "node:path";
import { hasImageExtension } from "../../layouts/folder-walk";
import { withName } from "../../layouts/named-images";
import { lastingError } from "../download-problems";
import type { ArchiveContents } from "./archive-contents";
import { type ArchiveLimits, belongsToSet, safeSegments } from "./archive-limits";

/** What an archive says about one of its members before the content comes. */
export interface ArchiveMember {
  name: string;
  /** What it is in words, where it is neither file nor folder, for example "a symbolic link". */
  kind: "file" | "folder" | { other: string };
  /** Bytes as announced. */
  size: number;
}

/** Decides what of an archive is kept, and writes it. */
export interface ArchiveKeeper {
  /** Looks at a member. @returns Where it belongs, relative to the folder, or null if it isn't wanted. */
  admit(member: ArchiveMember): string | null;
  /** Writes a member that was admitted. */
  write(file: string, size: number, content: AsyncIterable<Uint8Array>): Promise<void>;
  /** Files and bytes kept so far. */
  kept(): { files: number; bytes: number };
}

/** What is wanted of an archive. */
export interface KeepOptions {
  /** Keeps images of this magnification only. */
  magnification: number | null;
  limits: ArchiveLimits;
  /** Told of every file, kept or not. */
  contents: ArchiveContents;
  signal?: AbortSignal;
  onKept?: () => void;
}

function isOfMagnification(file: string, magnification: number | null): boolean {
  if (magnification === null || !hasImageExtension(file)) return true;
  const image = withName({ path: file, file, className: "", folderPart: null });
  return image.magnification === magnification;
}

/** Writes content into a file that must not be there yet. */
async function writeExactly(path: string, size: number, content: AsyncIterable<Uint8Array>): Promise<number> {
  let written = 0;
  const file: FileHandle = await open(path, "wx");
  try {
    for await (const chunk of content) {
      written += chunk.length;
      if (written > size) break;
      await file.writeFile(chunk);
    }
  } finally {
    await file.close();
  }
  return written;
}

/** A file of the archive lies where another wants a folder, or the other way round. */
function isTaken(error: unknown): boolean {
  return ["EEXIST", "ENOTDIR", "EISDIR"].includes((error as NodeJS.ErrnoException).code ?? "");
}

/** Makes a keeper that writes into a folder. A member that tries to do harm makes it refuse the whole archive. */
export function keepInto(folder: string, options: KeepOptions): ArchiveKeeper {
  const { limits, signal } = options;
  const taken = new Map<string, string>();
  let entries = 0;
  let files = 0;
  let bytes = 0;
  let admittedBytes = 0;

  function refuseTwins(file: string): void {
    const canonical = file.normalize("NFC").toLowerCase();
    const twin = taken.get(canonical);
    if (twin === file) throw lastingError(`the archive holds ${JSON.stringify(file)} twice`);
    if (twin !== undefined) {
      const both = `${JSON.stringify(twin)} and ${JSON.stringify(file)}`;
      throw lastingError(`the archive holds ${both}, which are one file on many systems`);
    }
    taken.set(canonical, file);
  }

  return {
    admit({ name, kind, size }) {
      signal?.throwIfAborted();
      entries++;
      if (entries > limits.entries) throw lastingError(`the archive holds more than ${limits.entries} files`);
      const segments = safeSegments(name);
      const file = segments.join("/");
      if (typeof kind === "object") {
        throw lastingError(
          `the archive holds ${kind.other}, ${JSON.stringify(name)}, which no set of images needs`,
        );
      }
      if (kind === "folder") return null;
      const isKept = belongsToSet(segments) && isOfMagnification(file, options.magnification);
      options.contents.note(file, isKept);
      if (!isKept) return null;
      if (!(size >= 0 && size <= limits.fileBytes)) {
        throw lastingError(
          `${JSON.stringify(file)} in the archive is ${size} bytes large; ${limits.fileBytes} are allowed`,
        );
      }
      admittedBytes += size;
      if (admittedBytes > limits.totalBytes) {
        throw lastingError(`the archive's content is larger than the ${limits.totalBytes} bytes allowed`);
      }
      refuseTwins(file);
      return file;
    },
    async write(file, size, content) {
      const path = join(folder, file);
      let written: number;
      try {
        await mkdir(dirname(path), { recursive: true });
        written = await writeExactly(path, size, content);
      } catch (error) {
        if (!isTaken(error)) throw error;
        throw lastingError(`a part of ${JSON.stringify(file)} is both a file and a folder in the archive`);
      }
      signal?.throwIfAborted();
      if (written !== size) {
        const found = written > size ? `more than the ${size} bytes` : `${written} of ${size} bytes`;
        throw lastingError(
          `${JSON.stringify(file)} in the archive holds ${found} that it announces: the archive is damaged`,
        );
      }
      files++;
      bytes += size;
      options.onKept?.();
    },
    kept: () => ({ files, bytes }),
  };
}
