/** What the name of a patch of the IDC set says about it. */
export interface IdcName {
  patient: string;
  /** Whether the patch shows invasive ductal carcinoma. */
  isIdc: boolean;
  /** Where in the slide the patch was cut, in pixels. */
  x: number;
  y: number;
}

/** The classes of the IDC set; "not IDC" is all other tissue, which does not mean a benign lesion. */
export const idcClasses = ["not IDC", "IDC"] as const;

const namePattern = /^(\d+)_idx\d+_x(\d+)_y(\d+)_class([01])(?: ?\(\d+\))?\.[A-Z]+$/i;

/**
 * Reads the name of a patch of the IDC set (Cruz-Roa et al., SPIE Medical Imaging 2014, as published by Janowczyk
 * and Madabhushi).
 *
 * @param fileName - A file's name, with or without its folders.
 *
 * @example
 * parseIdcName("8863/1/8863_idx5_x51_y1251_class1.png")?.isIdc; // true
 */
export function parseIdcName(fileName: string): IdcName | null {
  const baseName = fileName.slice(Math.max(fileName.lastIndexOf("/"), fileName.lastIndexOf("\\")) + 1);
  const match = namePattern.exec(baseName);
  if (match === null) return null;
  return { patient: match[1]!, x: Number(match[2]), y: Number(match[3]), isIdc: match[4] === "1" };
}
