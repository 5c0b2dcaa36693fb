import { stat } from "node:fs/promises";
import { holdsImages, listFolder, subfolders } from "./folder-walk";
import type { FoundLayout, Layout } from "./found-layout";
import { recogniseIdc } from "./layout-idc";
import {
  recogniseClassFolders,
  recogniseKaggle,
  recogniseOriginal,
  recognisePerceptilabs,
} from "./layout-recognisers";

interface Recogniser {
  layout: Layout;
  /** In words, for the message that says what was expected. */
  expected: string;
  /** Folders in the passed one that may be the layout's own, by name; the only folder in a folder is looked at too. */
  wrappers: RegExp;
  recognise(folder: string): Promise<FoundLayout | null>;
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
];

const wrapperDepth = 4;

/**
 * Finds out how a folder of images is arranged, by itself.
 *
 * @param folder - Absolute; the layout's own folder or one above it.
 * @throws Error that says what was expected and what was found if it is none of the known layouts.
 */
export async function recogniseLayout(folder: string): Promise<FoundLayout> {
  await requireFolder(folder);
  for (const recogniser of recognisers) {
    for (const candidate of await candidates(folder, recogniser.wrappers)) {
      const found = await recogniser.recognise(candidate);
      if (found !== null) return found;
    }
  }
  const layouts = recognisers.map((recogniser) => `  - ${recogniser.expected}`).join("\n");
  throw new Error(
    `${folder} is none of the layouts known here; expected one of\n${layouts}\nFound: ${await describeContent(folder)}`,
  );
}

async function requireFolder(folder: string): Promise<void> {
  const found = await stat(folder).catch(() => null);
  if (found === null) throw new Error(`There is no folder ${folder}: pass the folder that holds the images.`);
  if (!found.isDirectory())
    throw new Error(`${folder} is a file: pass the folder that holds the class folders.`);
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
      next.push(...inner.map((child) => child.path));
    }
    found.push(...next);
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
  const hint = (await holdsImages(folder))
    ? " Images that lie directly in the folder have no class: move them into a folder that is named after it."
    : "";
  return `${shown}${more}.${hint}`;
}
