import type { ByteSource } from "./bytes";
import { readDirectories, type TiffDirectory } from "./tiff-directories";

/** How large a picture's pixels are in the tissue, as far as its file says it. */
export interface PictureScale {
  /** µm a pixel across and down; null where nothing says it. */
  microns: { x: number; y: number } | null;
  /** The objective's, as scanners write it, for example 20; null where nothing says it. */
  objective: number | null;
  /** What says so, for a sentence; null where nothing does. */
  saidBy: string | null;
}

/** What a picture's file says of how it can be read in parts. */
export interface TiffPage {
  scale: PictureScale;
  /** Pixels of one tile; null where the page is stored in strips. */
  tilePixels: number | null;
}

const tag = {
  description: 270,
  xResolution: 282,
  yResolution: 283,
  unit: 296,
  tileWidth: 322,
  tileHeight: 323,
};
const micronsPerInch = 25_400;
const micronsPerCentimetre = 10_000;
/** Coarser ones are a screen's or a printer's (72 dpi are 353 µm): no microscope's picture has them. */
const coarsest = 10;
/** Finer than any light microscope resolves, ten times over. */
const finest = 0.01;

export const unknownScale: PictureScale = { microns: null, objective: null, saidBy: null };

const isPlausible = (microns: number) => microns >= finest && microns <= coarsest;

/** Microns that a microscope may have, else null. */
function plausible(x: number, y: number): PictureScale["microns"] {
  return isPlausible(x) && isPlausible(y) ? { x, y } : null;
}

/** What a resolution in pixels an inch says, where it is a microscope's. */
export function scaleOfDensity(dotsPerInch: number | undefined): PictureScale {
  const microns = micronsPerInch / (dotsPerInch ?? 0);
  const found = plausible(microns, microns);
  return found === null ? unknownScale : { microns: found, objective: null, saidBy: "its resolution" };
}

const numberIn = (text: string, pattern: RegExp) => {
  const found = Number(pattern.exec(text)?.[1] ?? Number.NaN);
  return Number.isFinite(found) && found > 0 ? found : null;
};

const omeUnits: Readonly<Record<string, number>> = { µm: 1, μm: 1, um: 1, nm: 1e-3, mm: 1e3, cm: 1e4 };

/** OME's XML (Schemas/OME/2016-06): the first Pixels' PhysicalSize, in µm where no unit stands. */
function scaleOfOme(text: string): PictureScale {
  const pixels = /<(?:\w+:)?Pixels\b[^>]*>/.exec(text)?.[0] ?? "";
  const along = (axis: "X" | "Y") => {
    const unit = new RegExp(`PhysicalSize${axis}Unit="([^"]*)"`).exec(pixels)?.[1] ?? "µm";
    return (
      (numberIn(pixels, new RegExp(`PhysicalSize${axis}="([^"]*)"`)) ?? 0) * (omeUnits[unit] ?? Number.NaN)
    );
  };
  const objective = numberIn(text, /<(?:\w+:)?Objective\b[^>]*NominalMagnification="([^"]*)"/);
  const microns = plausible(along("X"), along("Y"));
  return { microns, objective, saidBy: "its OME description" };
}

/** Aperio's: "Aperio Image Library … |AppMag = 20|MPP = 0.4990". */
function scaleOfAperio(text: string): PictureScale {
  const microns = numberIn(text, /\bMPP\s*=\s*([^|\s]+)/) ?? 0;
  const objective = numberIn(text, /\bAppMag\s*=\s*([^|\s]+)/);
  return { microns: plausible(microns, microns), objective, saidBy: "its Aperio description" };
}

/** ImageJ's: pixels a unit in the resolution, and the unit in the description. */
function scaleOfImageJ(text: string, page: TiffDirectory): PictureScale {
  const unit =
    /\nunit=(\S+)/
      .exec(text)?.[1]
      ?.replace("\\u00B5", "µ")
      .replace(/^micron(?:s)?$/, "µm") ?? "";
  const along = (field: number) => (omeUnits[unit] ?? Number.NaN) / (page.get(field)?.numbers[0] ?? 0);
  const microns = plausible(along(tag.xResolution), along(tag.yResolution));
  return { microns, objective: null, saidBy: "its ImageJ description" };
}

function scaleOfResolution(page: TiffDirectory): PictureScale {
  const [inch, centimetre] = [2, 3];
  const unit = page.get(tag.unit)?.numbers[0] ?? inch;
  const length = unit === inch ? micronsPerInch : unit === centimetre ? micronsPerCentimetre : Number.NaN;
  const x = page.get(tag.xResolution)?.numbers[0] ?? 0;
  const y = page.get(tag.yResolution)?.numbers[0] ?? x;
  const microns = plausible(length / x, length / y);
  return microns === null ? unknownScale : { microns, objective: null, saidBy: "its resolution" };
}

function scaleOf(page: TiffDirectory): PictureScale {
  const bytes = page.get(tag.description)?.bytes ?? new Uint8Array();
  // It ends with a zero.
  const text = new TextDecoder().decode(bytes).split("\0")[0]!;
  const said = /<(?:\w+:)?OME\b/.test(text)
    ? scaleOfOme(text)
    : /\b(?:MPP|AppMag)\s*=/.test(text)
      ? scaleOfAperio(text)
      : text.startsWith("ImageJ=")
        ? scaleOfImageJ(text, page)
        : unknownScale;
  if (said.microns !== null) return said;
  const { microns, saidBy } = scaleOfResolution(page);
  return { microns, objective: said.objective, saidBy: microns === null ? said.saidBy : saidBy };
}

/**
 * Reads of a TIFF's page how large its pixels are in the tissue, and how it is stored: from the description that OME,
 * Aperio and ImageJ write, else from the resolution (TIFF 6.0, section 8), unless that is a screen's.
 *
 * @param page - From `understandImage`.
 * @throws RangeError if there is no such page.
 */
export function readTiffPage(file: ByteSource, page: number): TiffPage {
  const directory = readDirectories(file)?.[page];
  if (directory === undefined) throw new RangeError(`The TIFF has no page ${page}.`);
  const across = directory.get(tag.tileWidth)?.numbers[0];
  const down = directory.get(tag.tileHeight)?.numbers[0];
  const isTiled = across !== undefined && down !== undefined;
  return { scale: scaleOf(directory), tilePixels: isTiled ? across * down : null };
}
