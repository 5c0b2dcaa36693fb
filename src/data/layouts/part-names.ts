import type { FolderPart } from "./found-layout";

const partNames: Readonly<Record<string, FolderPart>> = {
  train: "train",
  training: "train",
  val: "validation",
  valid: "validation",
  validation: "validation",
  dev: "validation",
  test: "test",
  testing: "test",
};

/**
 * The part of a split that a folder or a cell of a labels file names, whatever its case.
 *
 * @returns Null if it names none.
 *
 * @example
 * partNamed("Valid"); // "validation"
 */
export function partNamed(name: string): FolderPart | null {
  const key = name.trim().toLowerCase();
  return Object.hasOwn(partNames, key) ? partNames[key]! : null;
}
