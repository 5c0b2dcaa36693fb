import { join } from "node:path";
import type { FolderPart, Layout } from "./layouts/found-layout";

/** One image's row. */
export interface ImageRecord {
  /** Relative to the data set's folder, forward slashes. */
  file: string;
  /** Index into the data set's classes. */
  label: number;
  /** BreaKHis's code, for example "DC"; null, like the four below, where neither the name nor a labels file tells. */
  subtype: string | null;
  /** With its letters, for example "22549AB". */
  slide: string | null;
  /** The slide's number without its letters, the folder where the layout has one a patient, or what a labels file says. */
  patient: string | null;
  /** 40, 100, 200 or 400 in BreaKHis; from a labels file, the name or else the folder. */
  magnification: number | null;
  /** Four digits. */
  year: number | null;
  /** Pixels, upright. */
  width: number;
  height: number;
  /** Of the file's bytes, hexadecimal. */
  sha256: string;
  /** Mean red, green and blue, each 0..255. */
  meanColour: [number, number, number];
  /** What the image looks like, 16 hexadecimal digits, near duplicates alike; null if it is too plain to tell. */
  perceptualHash: string | null;
  /** Where the layout has train and test folders, or the labels file says so, the part that the image lies in. */
  folderPart: FolderPart | null;
}

/** A file that was left out, and why, as the rest of a sentence. */
export interface SkippedImage {
  file: string;
  reason: string;
}

/** A folder of images as records. */
export interface Dataset {
  /** Absolute; the layout's own folder, which may lie in the one that was passed. */
  folder: string;
  layout: Layout;
  /** Name of the labels file that counts, where there is one. */
  labelsFile?: string;
  /** For people: the name of the folder. */
  name: string;
  /** Whether the images were drawn by the demo's generator. */
  synthetic: boolean;
  /** For BreaKHis ["benign", "malignant"], for IDC ["not IDC", "IDC"], else the folders' or labels' names, sorted. */
  classes: string[];
  /** Index into classes of the one to be found (malignant, IDC), or null. */
  positiveClass: number | null;
  /** Sorted by file. */
  records: ImageRecord[];
  skipped: SkippedImage[];
  warnings: string[];
}

/** Image files that something is computed from, whatever they show: a data set, or images that somebody asks about. */
export interface ImageFiles {
  /** Absolute. */
  folder: string;
  /** Each `file` relative to the folder. */
  records: readonly Pick<ImageRecord, "file" | "sha256">[];
}

/** An image's file, and the checksum of the bytes that it must still hold. */
export interface ImageFile {
  /** Absolute. */
  path: string;
  /** Hexadecimal. */
  sha256: string;
}

/** A record's file as it was when the data set was opened: decoding it refuses what has changed since. */
export function imageFile(
  dataset: Pick<ImageFiles, "folder">,
  record: Pick<ImageRecord, "file" | "sha256">,
): ImageFile {
  return { path: imagePath(dataset, record), sha256: record.sha256 };
}

/** Absolute path of a record's file. */
export function imagePath(dataset: Pick<ImageFiles, "folder">, record: Pick<ImageRecord, "file">): string {
  return join(dataset.folder, record.file);
}
