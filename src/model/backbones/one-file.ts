/** What is used here of the library's file system: every file that HDF5 opens goes through it. */
interface Hdf5Files {
  FS: {
    open(path: unknown, ...more: unknown[]): unknown;
    ErrnoError: new (code: number) => Error;
  };
}

/** Emscripten's number for "no such file". */
const noSuchFile = 44;

/** Where HDF5 was built to look for filters that it has not: a folder that is not there, and no part of the data. */
const pluginFolder = /\/lib\/plugin$/;

/**
 * Reads an HDF5 file that may open no other one.
 *
 * External storage, virtual data sets and external links draw in other files, which the file's own checksum says nothing
 * of: the same weights by name and checksum could be others tomorrow.
 *
 * @param path - The file's own.
 * @param shownAs - What the error calls it.
 * @param read - Works at once, without waiting for anything.
 * @throws Error naming the other file, if it tried to open one.
 */
export function withOneFile<T>(library: unknown, path: string, shownAs: string, read: () => T): T {
  const { FS } = library as Hdf5Files;
  const open = FS.open;
  let other: string | null = null;
  FS.open = function (this: unknown, asked: unknown, ...more: unknown[]) {
    if (asked === path) return open.call(this, asked, ...more);
    if (!pluginFolder.test(String(asked))) other ??= String(asked);
    throw new FS.ErrnoError(noSuchFile);
  };
  const refuse = () =>
    new Error(
      `${shownAs} draws in another file, ${other}, so its checksum does not tell what its weights are: save all of them in one file.`,
    );
  try {
    const result = read();
    if (other !== null) throw refuse();
    return result;
  } catch (error) {
    throw other === null ? error : refuse();
  } finally {
    FS.open = open;
  }
}
