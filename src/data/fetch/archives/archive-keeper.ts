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

/**
 * Decides what of an archive is kept, and writes it into a folder. A member that tries to do harm makes it refuse the
 * whole archive.
 */
export class ArchiveKeeper {
  /** Admitted files, by what they are called where capitals and ways to write letters don't matter. */
  private readonly taken = new Map<string, string>();
  private entries = 0;
  private admittedBytes = 0;

  constructor(
    private readonly folder: string,
    private readonly options: KeepOptions,
  ) {}

  /** Looks at a member. @returns Where it belongs, relative to the folder, or null if it isn't wanted. */
  admit({ name, kind, size }: ArchiveMember): string | null {
    const { limits, signal, contents, magnification } = this.options;
    signal?.throwIfAborted();
    this.entries++;
    if (this.entries > limits.entries) {
      throw lastingError(`the archive holds more than ${limits.entries} files`);
    }
    const segments = safeSegments(name);
    const file = segments.join("/");
    if (typeof kind === "object") {
      throw lastingError(
        `the archive holds ${kind.other}, ${JSON.stringify(name)}, which no set of images needs`,
      );
    }
    if (kind === "folder") return null;
    const isKept = belongsToSet(segments) && isOfMagnification(file, magnification);
    contents.note(file, isKept);
    if (!isKept) return null;
    this.refuseExcess(file, size);
    this.refuseTwins(file);
    return file;
  }

  /** Writes a member that was admitted. */
  async write(file: string, size: number, content: AsyncIterable<Uint8Array>): Promise<void> {
    const path = join(this.folder, file);
    let written: number;
    try {
      await mkdir(dirname(path), { recursive: true });
      written = await writeExactly(path, size, content);
    } catch (error) {
      if (!isTaken(error)) throw error;
      throw lastingError(`a part of ${JSON.stringify(file)} is both a file and a folder in the archive`);
    }
    this.options.signal?.throwIfAborted();
    if (written !== size) {
      const found = written > size ? `more than the ${size} bytes` : `${written} of ${size} bytes`;
      throw lastingError(
        `${JSON.stringify(file)} in the archive holds ${found} that it announces: the archive is damaged`,
      );
    }
    this.options.onKept?.();
  }

  private refuseExcess(file: string, size: number): void {
    const { fileBytes, totalBytes } = this.options.limits;
    if (!(size >= 0 && size <= fileBytes)) {
      throw lastingError(
        `${JSON.stringify(file)} in the archive is ${size} bytes large; ${fileBytes} are allowed`,
      );
    }
    this.admittedBytes += size;
    if (this.admittedBytes > totalBytes) {
      throw lastingError(`the archive's content is larger than the ${totalBytes} bytes allowed`);
    }
  }

  private refuseTwins(file: string): void {
    const canonical = file.normalize("NFC").toLowerCase();
    const twin = this.taken.get(canonical);
    if (twin === file) throw lastingError(`the archive holds ${JSON.stringify(file)} twice`);
    if (twin !== undefined) {
      const both = `${JSON.stringify(twin)} and ${JSON.stringify(file)}`;
      throw lastingError(`the archive holds ${both}, which are one file on many systems`);
    }
    this.taken.set(canonical, file);
  }
}
