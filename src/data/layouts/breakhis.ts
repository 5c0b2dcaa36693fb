/** What the name of a BreaKHis image says about it. */
export interface BreakhisName {
  tumourClass: "benign" | "malignant";
  /** A, F, PT or TA (benign); DC, LC, MC or PC (malignant). */
  subtype: string;
  /** Four digits. */
  year: number;
  /** The slide's number with its letters, upper case, for example "22549AB". */
  slide: string;
  /** The slide's number without its letters: slides of one patient differ only by them. */
  patient: string;
  /** 40, 100, 200 or 400; null where the name leaves it out, as tiles passed around do. */
  magnification: number | null;
  /** Number of the image within its slide and magnification, or of the tile. */
  sequence: number;
}

/** How large a BreaKHis image is, in pixels. */
export const breakhisSize = { width: 700, height: 460 } as const;

/**
 * µm a pixel of BreaKHis' images by their magnification: the microscope's, of which a tenth is the objective's.
 *
 * Spanhol et al., IEEE TBME 63(7), 2016, table 1: the camera's pixels through objectives of 4, 10, 20 and 40×.
 */
export const breakhisMicrons: Readonly<Record<number, number>> = { 40: 0.49, 100: 0.2, 200: 0.1, 400: 0.05 };

/** The names of BreaKHis's subtypes; A to TA are benign, DC to PC malignant. */
export const subtypeNames: Readonly<Record<string, string>> = {
  A: "adenosis",
  F: "fibroadenoma",
  PT: "phyllodes tumour",
  TA: "tubular adenoma",
  DC: "ductal carcinoma",
  LC: "lobular carcinoma",
  MC: "mucinous carcinoma",
  PC: "papillary carcinoma",
};

const namePattern = new RegExp(
  [
    "^(?:SOB|CNB)", // surgical open biopsy; the naming scheme also knows core needle biopsies
    "[_-](?:(?<benign>B)[_-](?<benignSubtype>A|F|PT|TA)|M[_-](?<malignantSubtype>DC|LC|MC|PC))",
    "[_-](?<year>\\d{2})",
    "[_-](?<slide>(?<patient>\\d+)[A-Z]*)",
    "(?:[_-](?<magnification>40|100|200|400)X?)?",
    "[_-](?<sequence>\\d{1,6})",
    "(?:[_-]\\d{1,6})?", // a tile cut from a named image
    "(?: ?\\(\\d+\\))?", // "(1)", as browsers name a second download
    "\\.[A-Z]+$",
  ].join(""),
  "i",
);

/**
 * Reads the name of a BreaKHis image, also in the variants met in the wild.
 *
 * Hyphens and underscores count as the same, capitals do not matter, and the magnification may be missing.
 * Names: Spanhol et al., "A Dataset for Breast Cancer Histopathological Image Classification", IEEE TBME 63(7), 2016.
 *
 * @param fileName - A file's name, with or without its folders.
 * @returns null if it is no BreaKHis name, also if its class letter does not go with its subtype.
 *
 * @example
 * parseBreakhisName("SOB_B_A-14-22549AB-100-001.png")?.patient; // "22549"
 * parseBreakhisName("SOB_M_DC_14-12312_0.png")?.magnification; // null
 */
export function parseBreakhisName(fileName: string): BreakhisName | null {
  const baseName = fileName.slice(Math.max(fileName.lastIndexOf("/"), fileName.lastIndexOf("\\")) + 1);
  const parts = namePattern.exec(baseName)?.groups;
  if (parts === undefined) return null;
  return {
    tumourClass: parts["benign"] === undefined ? "malignant" : "benign",
    subtype: (parts["benignSubtype"] ?? parts["malignantSubtype"] ?? "").toUpperCase(),
    year: 2000 + Number(parts["year"]),
    slide: (parts["slide"] ?? "").toUpperCase(),
    patient: parts["patient"] ?? "",
    magnification: parts["magnification"] === undefined ? null : Number(parts["magnification"]),
    sequence: Number(parts["sequence"]),
  };
}
