import { type ByteSource, latin1 } from "./bytes";
import { readProfile } from "./colour-profile";
import { type ImageKind, leftOut, type Understanding, usualKind } from "./image-kind";
import { readDirectories, type TiffDirectory } from "./tiff-directories";

/** Numbers of the fields that tell what samples mean (TIFF 6.0; Adobe's technical notes; SMPTE's for GeoTIFF's). */
const tag = {
  newSubfileType: 254,
  subfileType: 255,
  width: 256,
  height: 257,
  bitsPerSample: 258,
  compression: 259,
  photometric: 262,
  description: 270,
  samplesPerPixel: 277,
  largestSample: 281,
  inkSet: 332,
  extraSamples: 338,
  sampleFormat: 339,
  profile: 34675,
} as const;

const first = (page: TiffDirectory, field: number, otherwise: number) =>
  page.get(field)?.numbers[0] ?? otherwise;

/** Codecs that the prebuilt sharp has: the others' tiles would be black. */
const readCompressions = [1, 2, 3, 4, 5, 7, 8, 32773, 32946];
const compressionNames: Readonly<Record<number, string>> = {
  6: "JPEG as TIFF 6.0 had it",
  34712: "JPEG 2000",
  33003: "JPEG 2000",
  33005: "JPEG 2000",
  34887: "LERC",
  34925: "LZMA",
  50000: "ZSTD",
  50001: "WebP",
  50002: "JPEG XL",
  52546: "JPEG XL",
  22610: "JPEG XR",
  34934: "JPEG XR",
};

/** A reduced copy or a mask of another page; TIFF 5's field says it otherwise. */
function isPicture(page: TiffDirectory): boolean {
  const reducedOrMask = 0b101;
  const [reduced, mask] = [2, 4];
  const old = first(page, tag.subfileType, 1);
  return (first(page, tag.newSubfileType, 0) & reducedOrMask) === 0 && old !== reduced && old !== mask;
}

const textOf = (page: TiffDirectory) => latin1(page.get(tag.description)?.bytes ?? new Uint8Array());

/** Whether a grey page is one of several that belong together: channels of one picture, or slices. */
function hasSiblings(page: TiffDirectory, pages: readonly TiffDirectory[]): boolean {
  const isSameSize = (other: TiffDirectory) =>
    [tag.width, tag.height].every((field) => first(page, field, 0) === first(other, field, 0));
  // ImageJ writes large stacks as one page with the others behind it.
  const announced = Number(/^ImageJ=[\s\S]*?\nimages=(\d+)/.exec(textOf(page))?.[1] ?? 1);
  return announced > 1 || pages.filter(isSameSize).length > 1;
}

const formatNames: Readonly<Record<number, string>> = {
  2: "signed whole numbers",
  3: "floating-point numbers",
  5: "complex whole numbers",
  6: "complex numbers",
};
const [minIsWhite, minIsBlack, rgb, palette, separated, ycbcr] = [0, 1, 2, 3, 5, 6];
const coloursByPhotometric: Readonly<Record<number, { colours: ImageKind["colours"]; count: number }>> = {
  [minIsWhite]: { colours: "grey", count: 1 },
  [minIsBlack]: { colours: "grey", count: 1 },
  [rgb]: { colours: "rgb", count: 3 },
  [palette]: { colours: "palette", count: 1 },
  [separated]: { colours: "cmyk", count: 4 },
  [ycbcr]: { colours: "rgb", count: 3 },
};
const bitsByColours: Readonly<Record<ImageKind["colours"], readonly number[]>> = {
  grey: [1, 2, 4, 8, 16],
  rgb: [8, 16],
  palette: [1, 2, 4, 8],
  cmyk: [8],
};

const asEightBits = "; save it as 8-bit RGB";

/** Why the samples of a page can't be understood, null where they can. */
function problemOfSamples(page: TiffDirectory, colours: ImageKind["colours"]): string | null {
  const formats = page.get(tag.sampleFormat)?.numbers ?? [];
  const odd = formats.find((format) => format !== 1 && format !== 4);
  const bits = page.get(tag.bitsPerSample)?.numbers ?? [1];
  if (odd !== undefined) {
    const name = formatNames[odd] ?? "numbers of an unknown kind";
    return `its samples are ${name} (${bits[0]} bits), and nothing says which of them is black or white${asEightBits}`;
  }
  if (new Set(bits).size > 1) return `its channels have different bits (${bits.join(", ")})${asEightBits}`;
  if (!bitsByColours[colours].includes(bits[0]!)) {
    return `it has ${bits[0]} bits a sample, and ${bitsByColours[colours].join(", ")} are read for ${colours} images${asEightBits}`;
  }
  return null;
}

/** What the samples beyond the colours are; null where the file does not say it, or there are several. */
function alphaOf(page: TiffDirectory, beyond: number): ImageKind["alpha"] | null {
  if (beyond === 0) return "none";
  const said = page.get(tag.extraSamples)?.numbers[0];
  if (said === undefined || beyond > 1) return null;
  // Multiplied by its alpha or not: the decoder divides by it where it was.
  const [associated, unassociated] = [1, 2];
  return said === associated || said === unassociated ? "straight" : "unused";
}

/** The largest value of a 16-bit sample, where the file says that it uses fewer bits. */
function whitestOf(page: TiffDirectory, bits: number): number | null {
  if (bits !== 16) return null;
  // The field is there for statistics, too: a range of bits is what it says only where it is one.
  const largest = first(page, tag.largestSample, 65535);
  const announced = Number(/SignificantBits="(\d+)"/.exec(textOf(page))?.[1] ?? 16);
  const used = Number.isInteger(Math.log2(largest + 1)) ? Math.log2(largest + 1) : 16;
  const fewest = Math.min(used, announced);
  return fewest > 8 && fewest < 16 ? 2 ** fewest - 1 : null;
}

function understandPage(page: TiffDirectory, pages: readonly TiffDirectory[]): Understanding {
  const photometric = first(page, tag.photometric, -1);
  const meaning = coloursByPhotometric[photometric];
  if (meaning === undefined)
    return leftOut(`its colours are of a kind that is not read (${photometric})${asEightBits}`);
  const { colours, count } = meaning;
  const samples = first(page, tag.samplesPerPixel, 1);
  if (samples < count || (colours === "grey" && samples > 2)) {
    return leftOut(`it has ${samples} channels that are not said to be red, green and blue${asEightBits}`);
  }
  const problem = problemOfSamples(page, colours);
  if (problem !== null) return leftOut(problem);
  if (colours === "grey" && hasSiblings(page, pages)) {
    return leftOut(
      `it holds several grey pictures of one size, channels or slices, and which is the image is not said${asEightBits}`,
    );
  }
  const alpha = alphaOf(page, samples - count);
  const isOdd =
    alpha !== "none" && (colours === "cmyk" || colours === "palette" || photometric === minIsWhite);
  if (alpha === null || isOdd || first(page, tag.inkSet, 1) !== 1) {
    return leftOut(`it has ${samples} channels, and what they are is not said${asEightBits}`);
  }
  const compression = first(page, tag.compression, 1);
  if (!readCompressions.includes(compression)) {
    const name = compressionNames[compression] ?? `method ${compression}`;
    return leftOut(`it is compressed by ${name}, which is not read; save it with LZW or Deflate, or as PNG`);
  }
  const profile = readProfile(page.get(tag.profile)?.bytes ?? null, colours);
  if (profile.ok === false) return profile;
  const bits = first(page, tag.bitsPerSample, 1);
  const kind: ImageKind = {
    ...usualKind,
    format: "TIFF",
    width: first(page, tag.width, 0),
    height: first(page, tag.height, 0),
    bits,
    colours,
    alpha,
    profile: profile.kind,
    whitest: whitestOf(page, bits),
    page: pages.indexOf(page),
  };
  return { ok: true, kind };
}

/**
 * Reads what a TIFF says of its numbers.
 *
 * Its picture is the first page that is not marked as a reduced copy or a mask: scanners put labels, thumbnails and
 * pyramids beside it.
 */
export function understandTiff(file: ByteSource): Understanding {
  const pages = readDirectories(file);
  if (pages === null || pages.length === 0) return leftOut("the TIFF file is damaged or cut short");
  const pictures = pages.filter(isPicture);
  const page = pictures[0];
  if (page === undefined)
    return leftOut("all of its pages are marked as reduced copies or masks of another one");
  const understood = understandPage(page, pictures);
  return understood.ok === false
    ? understood
    : { ok: true, kind: { ...understood.kind, page: pages.indexOf(page) } };
}
