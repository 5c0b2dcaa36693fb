import { existsSync } from "node:fs";
import { stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { pushAll } from "../../runtime/many";
import { holdsImages, listFolder, subfolders } from "./folder-walk";
import type { FoundLayout, Layout } from "./found-layout";
import { applyLabels } from "./labels";
import type { ColumnNames } from "./labels-columns";
import { isLabelsFile } from "./labels-file";
import { recogniseIdc } from "./layout-idc";
import { readLabelledImages, recogniseLabels } from "./layout-labels";
import {
  recogniseClassFolders,
  recogniseKaggle,
  recogniseOriginal,
  recognisePerceptilabs,
} from "./layout-recognisers";
import { partNamed } from "./part-names";

/** What is said of a data set that its folders do not say. */
export interface LayoutOptions {
  /** A labels file (CSV) for the folder's images; path from the working directory or the folder. */
  labels?: string | null;
  /** Names of the labels file's columns, where they are not called as usual. */
  columns?: ColumnNames | null;
}

interface Recogniser {
  layout: Layout;
  /** In words, for the message that says what was expected. */
  expected: string;
  /** Folders in the passed one that may be the layout's own, by name; the only folder in a folder is looked at too. */
  wrappers: RegExp;
  recognise(folder: string, columns: ColumnNames): Promise<FoundLayout | null>;
}

/** Tried from top to bottom: the more particular layouts first. */
const recognisers: readonly Recogniser[] = [
  {
    layout: "perceptilabs",
    expected: "PerceptiLabs: data/{train,test}/{benign,malignant}/ with dataset.csv or dataset_pl.csv",
    wrappers: /^(?:data|breakhis.*)$/i,
    recognise: recognisePerceptilabs,
  },
  {
    layout: "kaggle",
    expected: "Kaggle: BreaKHis 400X/{train,test}/{benign,malignant}/",
    wrappers: /^(?:archive|data|breakhis.*)$/i,
    recognise: recogniseKaggle,
  },
  {
    layout: "original",
    expected: "original: histology_slides/breast/{benign,malignant}/SOB/<subtype>/<slide>/<magnification>X/",
    wrappers: /^(?:breakhis.*|histology_slides|breast)$/i,
    recognise: recogniseOriginal,
  },
  {
    layout: "idc",
    expected: "IDC: <patient>/{0,1}/ with names such as 8863_idx5_x51_y1251_class1.png",
    wrappers: /^(?:archive|data|idc.*)$/i,
    recognise: recogniseIdc,
  },
  {
    layout: "class-folders",
    expected: "class folders: one folder a class with the images in it, for example benign/ and malignant/",
    wrappers: /^$/,
    recognise: recogniseClassFolders,
  },
  {
    layout: "labels",
    expected: "a labels file: a CSV with a column for images and one for labels, beside or above the images",
    wrappers: /^(?:archive|data)$/i,
    recognise: recogniseLabels,
  },
];

const wrapperDepth = 4;

/**
 * Finds out what a path's images are: by the labels file that is given or is the path itself, else by how the folder is
 * arranged.
 *
 * @param path - Absolute; the layout's own folder or one above it, or a labels file.
 * @throws Error that says what was expected and what was found if it is none of the known layouts.
 */
export async function recogniseLayout(path: string, options: LayoutOptions = {}): Promise<FoundLayout> {
  const columns = options.columns ?? {};
  const found = await stat(path).catch(() => null);
  if (found === null)
    throw new Error(`There is no folder ${path}: pass the folder that holds the images, or a labels file.`);
  if (!found.isDirectory()) return readFile(path, options);
  if (options.labels) {
    const csv = resolveLabels(path, options.labels);
    const labelled = await readLabelledImages({ csv, folder: path, wholeFolder: true, columns });
    if (labelled !== null) return labelled;
    // It says other things than labels, for example patients: the classes are the folders'.
    return applyLabels(await recogniseFolder(path, {}), csv, [dirname(csv), path], columns);
  }
  const layout = await recogniseFolder(path, columns);
  if (Object.keys(columns).length > 0 && layout.labelsFile === undefined) {
    throw new Error(
      `columns names the columns of a labels file, and ${path} has none that counts: name it with labels.`,
    );
  }
  return layout;
}

/** Where a labels file lies that is named from the working directory, or from the folder of the images. */
export function resolveLabels(folder: string, labels: string): string {
  return existsSync(labels) ? resolve(labels) : resolve(folder, labels);
}

/** A labels file passed as the data. */
async function readFile(path: string, { labels, columns }: LayoutOptions): Promise<FoundLayout> {
  if (!isLabelsFile(path)) {
    throw new Error(`${path} is a file: pass the folder that holds the images, or a labels file (CSV).`);
  }
  if (labels)
    throw new Error(`${path} is a labels file itself, so labels can't name another: pass a folder.`);
  const request = { csv: path, folder: dirname(path), wholeFolder: false, columns: columns ?? {} };
  const found = await readLabelledImages(request);
  if (found !== null) return found;
  throw new Error(
    `${path} has no column for labels (label, class, target or diagnosis for example): say which it is with columns, ` +
      "for example label=NAME, or pass the folder as data and this file as labels.",
  );
}

async function recogniseFolder(folder: string, columns: ColumnNames): Promise<FoundLayout> {
  for (const recogniser of recognisers) {
    for (const candidate of await candidates(folder, recogniser.wrappers)) {
      const found = await recogniser.recognise(candidate, columns);
      if (found !== null) return found;
    }
  }
  const layouts = recognisers.map((recogniser) => `  - ${recogniser.expected}`).join("\n");
  throw new Error(
    `${folder} is none of the layouts known here; expected one of\n${layouts}\nFound: ${await describeContent(folder)}`,
  );
}

/** The folder itself, then folders in it that may hold the layout, nearest first. */
async function candidates(folder: string, wrappers: RegExp): Promise<string[]> {
  const found = [folder];
  let level = [folder];
  for (let depth = 0; depth < wrapperDepth && level.length > 0; depth++) {
    const next: string[] = [];
    for (const parent of level) {
      const children = await subfolders(parent);
      const inner = children.length === 1 ? children : children.filter((child) => wrappers.test(child.name));
      pushAll(
        next,
        inner.map((child) => child.path),
      );
    }
    pushAll(found, next);
    level = next;
  }
  return found;
}

async function describeContent(folder: string): Promise<string> {
  const { entries } = await listFolder(folder);
  if (entries.length === 0) return "an empty folder.";
  const shown = entries
    .slice(0, 8)
    .map((entry) => (entry.kind === "folder" ? `${entry.name}/` : entry.name))
    .join(", ");
  const more = entries.length > 8 ? ` and ${entries.length - 8} more` : "";
  const parts = entries.filter((entry) => entry.kind === "folder" && partNamed(entry.name) !== null);
  const flat = (await Promise.all(parts.map(({ path }) => holdsImages(path)))).some((holds) => holds);
  const hint = (await holdsImages(folder))
    ? " Images that lie directly in the folder have no class: move them into a folder that is named after it, or name " +
      "a labels file with labels."
    : flat
      ? " Train and test folders without class folders do not say what their images show: name a labels file with labels."
      : "";
  return `${shown}${more}.${hint}`;
}
