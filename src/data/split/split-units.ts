import { groupJoined } from "../../runtime/group-by";
import { largest, pushAll } from "../../runtime/many";
import type { Random } from "../../runtime/random";
import type { ImageRecord } from "../record";
import { type SplitFractions, type SplitPart, splitParts } from "./split-value";

/** Records that must stay in one part of a split. */
export interface SplitUnit {
  /** The class of most of its images; the lower index if there are equally many. */
  label: number;
  /** Indices of records, ascending. */
  records: number[];
}

/**
 * Groups records that share a key, directly or through others.
 *
 * @param rows - Indices into records of those to be grouped, ascending.
 * @param keysOf - A record's keys, for example its patient and its content.
 */
export function groupRecords(
  records: readonly ImageRecord[],
  rows: readonly number[],
  keysOf: (record: ImageRecord) => readonly string[],
): SplitUnit[] {
  const groups = groupJoined(rows.length, (join) => {
    const placeWithKey = new Map<string, number>();
    for (const [place, row] of rows.entries()) {
      for (const key of keysOf(records[row]!)) {
        const other = placeWithKey.get(key);
        if (other === undefined) placeWithKey.set(key, place);
        else join(place, other);
      }
    }
  });
  return groups.map((places) => {
    const group = places.map((place) => rows[place]!);
    return { label: majorityLabel(records, group), records: group };
  });
}

function majorityLabel(records: readonly ImageRecord[], rows: readonly number[]): number {
  const counts = new Map<number, number>();
  for (const row of rows) {
    const { label } = records[row]!;
    counts.set(label, (counts.get(label) ?? 0) + 1);
  }
  const [first] = [...counts].sort((one, other) => other[1] - one[1] || one[0] - other[0]);
  return first![0];
}

/**
 * Of this many shuffles of a class's units, the one whose parts come nearest to the wanted shares of images is taken.
 * Few enough that another seed still gives another split of a small set.
 */
const shufflesTried = 20;

/**
 * Distributes units over the parts, class by class: a fixed number of units each, images near the wanted shares.
 *
 * @param minimum - Units of each class, or of the class with a label, that every part with a share gets; the caller has
 * made sure there are enough.
 * @returns Indices of records by part, ascending.
 */
export function distributeUnits(
  units: readonly SplitUnit[],
  fractions: SplitFractions,
  minimum: number | ((label: number) => number),
  random: Random,
): Record<SplitPart, number[]> {
  const parts: Record<SplitPart, number[]> = { train: [], validation: [], test: [] };
  const labels = [...new Set(units.map(({ label }) => label))].sort((one, other) => one - other);
  for (const label of labels) {
    const ofClass = units.filter((unit) => unit.label === label);
    const classRandom = random.fork(`class ${label}`);
    const least = typeof minimum === "number" ? minimum : minimum(label);
    const sizes = partSizes(ofClass.length, fractions, least);
    let best: Record<SplitPart, SplitUnit[]> | null = null;
    for (let attempt = 0; attempt < shufflesTried; attempt++) {
      const attempted = cut(classRandom.shuffle(ofClass), sizes);
      if (best === null || imbalance(attempted, fractions) < imbalance(best, fractions)) best = attempted;
    }
    for (const part of splitParts) for (const { records } of best![part]) pushAll(parts[part], records);
  }
  for (const part of splitParts) parts[part].sort((one, other) => one - other);
  return parts;
}

function cut(
  units: readonly SplitUnit[],
  sizes: Readonly<Record<SplitPart, number>>,
): Record<SplitPart, SplitUnit[]> {
  const validationEnd = sizes.train + sizes.validation;
  return {
    train: units.slice(0, sizes.train),
    validation: units.slice(sizes.train, validationEnd),
    test: units.slice(validationEnd),
  };
}

/** Whole numbers near the shares of a count, each at least the minimum where its share is not 0. */
export function partSizes(
  count: number,
  fractions: SplitFractions,
  minimum: number,
): Record<SplitPart, number> {
  const sizes: Record<SplitPart, number> = { train: 0, validation: 0, test: 0 };
  for (const part of splitParts) if (fractions[part] > 0) sizes[part] = minimum;
  // One after the other goes to the part that lacks most; where two lack the same, the later one, as a test needs patients
  // more than validation does.
  for (let given = sizes.train + sizes.validation + sizes.test; given < count; given++) {
    const lacking = splitParts.map((part) => fractions[part] * count - sizes[part]);
    sizes[splitParts[lacking.lastIndexOf(largest(lacking))]!]++;
  }
  return sizes;
}

function imbalance(parts: Record<SplitPart, readonly SplitUnit[]>, fractions: SplitFractions): number {
  const images = splitParts.map((part) => parts[part].reduce((sum, { records }) => sum + records.length, 0));
  const total = images.reduce((sum, count) => sum + count, 0);
  return splitParts.reduce((sum, part, index) => sum + (images[index]! / total - fractions[part]) ** 2, 0);
}
