import { pushAll } from "../src/runtime/many";

/** A file that somebody chose or dropped. */
export interface ChosenFile {
  file: File;
  /** Its folders and name. */
  path: string;
}

/** Files that may be images, and how many others lay in the same folders. */
export interface ChosenFiles {
  images: ChosenFile[];
  others: number;
}

const imageName = /\.(png|jpe?g|webp|tiff?)$/i;

/** From folders, only what is called an image is taken; what was chosen by itself is tried, whatever its name. */
function sortOut(files: readonly ChosenFile[]): ChosenFiles {
  const images = files.filter(({ path }) => !path.includes("/") || imageName.test(path));
  return { images, others: files.length - images.length };
}

/** Takes the files of an input, for files or for a folder. */
export function filesOf(list: FileList): ChosenFiles {
  const files = Array.from(list, (file) => ({ file, path: file.webkitRelativePath || file.name }));
  return sortOut(files);
}

const fileOf = (entry: FileSystemFileEntry) =>
  new Promise<File>((resolve, reject) => entry.file(resolve, reject));

/** A folder is read a hundred entries at a time, until nothing more comes. */
async function entriesOf(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const entries: FileSystemEntry[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (some.length === 0) return entries;
    pushAll(entries, some);
  }
}

async function collect(entry: FileSystemEntry, files: ChosenFile[]): Promise<void> {
  if (entry.isFile) {
    const path = entry.fullPath.replace(/^\//, "");
    files.push({ file: await fileOf(entry as FileSystemFileEntry), path });
  } else {
    for (const inner of await entriesOf(entry as FileSystemDirectoryEntry)) await collect(inner, files);
  }
}

/** Takes what was dropped, with everything in folders. */
export async function filesDropped(transfer: DataTransfer): Promise<ChosenFiles> {
  // Entries must be taken before the first wait: the browser empties the list then.
  const entries = Array.from(transfer.items, (item) => item.webkitGetAsEntry());
  const plain = Array.from(transfer.files);
  const files: ChosenFile[] = [];
  for (const entry of entries) if (entry !== null) await collect(entry, files);
  return files.length > 0 ? sortOut(files) : sortOut(plain.map((file) => ({ file, path: file.name })));
}
