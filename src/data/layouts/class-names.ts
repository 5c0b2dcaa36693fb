import { groupBy } from "../../runtime/group-by";
import { byCodeUnits } from "../../runtime/words";
import type { Dataset } from "../record";
import { subtypeNames } from "./breakhis";
import { idcClasses } from "./idc";

export const tumourClasses = ["benign", "malignant"] as const;

/** How classes are chosen and named. */
export interface ClassOptions {
  /** The name of the class that is looked for; null takes malignant or IDC where there is one. */
  positiveClass?: string | null;
  /** "labels" are those that folders or a labels file give; "subtype" takes BreaKHis' subtypes instead. */
  classes?: "labels" | "subtype";
}

/** The classes of a data set, and which of them each spelling means. */
export interface ChosenClasses extends Pick<Dataset, "classes" | "positiveClass"> {
  /** Index of the class that a folder's name or a label means. */
  labelOf(className: string): number;
  warnings: string[];
}

/** What makes two spellings one class: capitals, blanks around and Unicode's ways to write a letter do not count. */
export function classKey(name: string): string {
  return name.normalize("NFC").trim().toLowerCase();
}

/** Pairs of classes that belong together, also where a folder has only one of them; the second is to be found. */
const knownPairs: readonly { classes: readonly string[]; keys: Readonly<Record<string, number>> }[] = [
  { classes: tumourClasses, keys: { benign: 0, b: 0, malignant: 1, m: 1 } },
  { classes: idcClasses, keys: { "not idc": 0, idc: 1 } },
];

/** BreaKHis' subtypes by code and by name, however words are parted. */
const subtypeCodes = new Map(
  Object.entries(subtypeNames).flatMap(([code, name]) => [
    [code.toLowerCase(), code],
    [squeeze(name), code],
    // The original tree's folder is called phyllodes_tumor.
    [squeeze(name).replace("tumour", "tumor"), code],
  ]),
);

function squeeze(name: string): string {
  return classKey(name).replace(/[\s_-]+/g, "");
}

/**
 * BreaKHis' code of a subtype that is written as code or name.
 *
 * @returns Null if it is none.
 *
 * @example
 * subtypeNamed("Ductal_Carcinoma"); // "DC"
 */
export function subtypeNamed(name: string): string | null {
  const code = subtypeCodes.get(squeeze(name)) ?? null;
  // A small a or f may be any class's name.
  return code?.length === 1 && name.trim().length === 1 && name.trim() !== code ? null : code;
}

/**
 * What each class is of BreaKHis' two, where all of them are subtypes: then the binary answer follows from theirs.
 *
 * @returns For each class 0 (benign) or 1 (malignant); null if some class is no subtype.
 *
 * @example
 * tumourClassesOf(["adenosis", "ductal carcinoma"]); // [0, 1]
 */
export function tumourClassesOf(classes: readonly string[]): (0 | 1)[] | null {
  const codes = classes.map(subtypeNamed);
  if (codes.length < 2 || codes.includes(null)) return null;
  return codes.map((code) => (isMalignant(code!) ? 1 : 0));
}

/**
 * The class that a label of somebody else's means among a classifier's: by its name or a spelling of it, or as a subtype
 * of one that is benign or malignant.
 *
 * @returns Its index, or null.
 *
 * @example
 * labelAmong(["benign", "malignant"], "ductal_carcinoma"); // 1
 */
export function labelAmong(classes: readonly string[], className: string): number | null {
  const code = subtypeNamed(className);
  const pair = knownPairs.find((one) =>
    one.classes.every((name, i) => classKey(classes[i] ?? "") === name.toLowerCase()),
  );
  const meanings = [
    (name: string) => classKey(name) === classKey(className),
    (name: string) => code !== null && subtypeNamed(name) === code,
    (name: string) => classKey(name) === pair?.classes[pair.keys[classKey(className)] ?? -1],
    (name: string) => code !== null && classKey(name) === tumourClasses[isMalignant(code) ? 1 : 0],
  ];
  for (const means of meanings) {
    const label = classes.findIndex(means);
    if (label >= 0) return label;
  }
  return null;
}

const isMalignant = (code: string) => ["DC", "LC", "MC", "PC"].includes(code);

/** Spellings by what they mean, the most frequent first. */
function spellingsOf(names: Iterable<string>): Map<string, string[]> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  const sorted = [...counts].sort((one, other) => other[1] - one[1] || byCodeUnits(one[0], other[0]));
  return groupBy(
    sorted.map(([name]) => name),
    classKey,
  );
}

/**
 * The classes of images: always both of BreaKHis or IDC where they are called so, else the names, sorted. Spellings of
 * one name are one class, under the most frequent of them.
 *
 * @param names - Of each image's class, as its folder or its label says it.
 * @throws Error if the class that is looked for is none of them.
 */
export function chooseClasses(names: readonly string[], options: ClassOptions = {}): ChosenClasses {
  const spellings = spellingsOf(names);
  const pair = knownPairs.find(({ keys }) => [...spellings.keys()].every((key) => Object.hasOwn(keys, key)));
  if (pair !== undefined) {
    const classes = [...pair.classes];
    const labelOf = (name: string) => pair.keys[classKey(name)]!;
    return { classes, positiveClass: positiveOf(classes, options, 1), labelOf, warnings: [] };
  }
  const classes = [...spellings.values()].map(([name]) => name!.normalize("NFC").trim()).sort(byCodeUnits);
  // Benign subtypes first, each kind in the order in which BreaKHis' authors list them.
  if (options.classes === "subtype") {
    const order = Object.values(subtypeNames);
    classes.sort((one, other) => order.indexOf(one) - order.indexOf(other));
  }
  const labels = new Map(classes.map((name, label) => [classKey(name), label]));
  const warnings = [...spellings.values()]
    .filter((same) => same.length > 1)
    .map(
      (same) => `${same.join(" and ")} are taken for one class, ${classes[labels.get(classKey(same[0]!))!]}.`,
    );
  return {
    classes,
    positiveClass: positiveOf(classes, options, null),
    labelOf: (name) => labels.get(classKey(name))!,
    warnings,
  };
}

function positiveOf(
  classes: readonly string[],
  { positiveClass }: ClassOptions,
  usual: number | null,
): number | null {
  if (positiveClass === null || positiveClass === undefined) return usual;
  const found = classes.findIndex((name) => classKey(name) === classKey(positiveClass));
  if (found >= 0) return found;
  throw new Error(`positiveClass is ${positiveClass}, but the classes are ${classes.join(", ")}.`);
}
