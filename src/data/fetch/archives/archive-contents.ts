import { countOf, nameSome } from "../../../runtime/words";
import { hasImageExtension } from "../../layouts/folder-walk";

/** What an archive holds, whatever of it is kept. */
export interface ArchiveContents {
  note(file: string, isKept: boolean): void;
  /** A sentence or two, for an archive of which nothing can be used. */
  describe(): string;
}

const archiveEnding = /\.(?:zip|tar|tgz|tar\.gz|gz|tar\.bz2|tbz2?|bz2|tar\.xz|txz|xz|7z|rar|zst)$/i;

/** Notes what an archive holds while it is unpacked. */
export function noteContents(): ArchiveContents {
  const topNames = new Set<string>();
  const archives: string[] = [];
  let files = 0;
  let images = 0;
  let keptImages = 0;
  return {
    note(file, isKept) {
      files++;
      const [first = "", ...rest] = file.split("/");
      if (topNames.size < 20) topNames.add(rest.length === 0 ? first : `${first}/`);
      if (archiveEnding.test(file) && archives.length < 20) archives.push(file);
      if (!hasImageExtension(file)) return;
      images++;
      if (isKept) keptImages++;
    },
    describe() {
      if (files === 0) return "The archive is empty";
      const holds =
        `The archive holds ${countOf(files, "file")}, ${images === 0 ? "no images" : countOf(images, "image")} ` +
        `among them: ${nameSome([...topNames].sort(), 8)}`;
      if (images === 0 && archives.length > 0) {
        return `${holds}. Unpack it and pass the archive in it: ${nameSome(archives, 3)}`;
      }
      return images > 0 && keptImages === 0 ? `${holds}. None is of the magnification asked for` : holds;
    },
  };
}
