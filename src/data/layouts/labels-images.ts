import { resolve } from "node:path";
import { groupBy } from "../../runtime/group-by";
import { largest } from "../../runtime/many";
import { hasImageExtension } from "./folder-walk";

/** An image that is there. */
interface PlacedImage {
  /** Absolute. */
  path: string;
  /** Relative to the data set's folder, forward slashes. */
  file: string;
}

/** The image that a labels file means, or why none can be told, as the rest of a sentence. */
export type ImageMatch<T> =
  | {
      ok: true;
      image: T;
      /** Whether the row names other folders than those that the image lies in, so that only its end agrees. */
      onlyByName: boolean;
    }
  | { ok: false; reason: string };

/** Names that are one and the same on some system: Unicode's composed and decomposed letters, capitals or not. */
const canonical = (name: string) => name.normalize("NFC").toLowerCase();
const withoutEnding = (name: string) => name.replace(/\.[^.]+$/, "");
const segmentsOf = (path: string) => path.split("/").filter((segment) => segment !== "" && segment !== ".");

const nameOf = ({ file }: PlacedImage) => canonical(segmentsOf(file).at(-1) ?? "");

/** How many of the last names of two paths agree. */
function commonEnd(one: readonly string[], other: readonly string[]): number {
  let count = 0;
  while (count < one.length && count < other.length && one.at(-1 - count) === other.at(-1 - count)) count++;
  return count;
}

/** How a name is written where some differences don't matter. */
type Spelling = (name: string) => string;

/** The images that agree best; spelling decides only between those that are alike otherwise. */
function closestOf<T>(candidates: readonly T[], closeness: (image: T, spelling: Spelling) => number): T[] {
  let best = [...candidates];
  for (const spelling of [canonical, (name: string) => name.normalize("NFC"), (name: string) => name]) {
    if (best.length === 1) break;
    const counts = best.map((image) => closeness(image, spelling));
    const most = largest(counts);
    best = best.filter((_, index) => counts[index] === most);
  }
  return best;
}

/**
 * Finds the images that a labels file means: by their path from one of some folders, or else by how their paths end,
 * since files are moved and labels files come from other machines. Slashes lean either way; capitals and Unicode's
 * ways to write a letter matter only where nothing else tells two images apart; a name without an ending means the
 * image that has it.
 *
 * @param images - All images that can be meant.
 * @param bases - Absolute folders that paths may count from.
 */
export function imageFinder<T extends PlacedImage>(
  images: readonly T[],
  bases: readonly string[],
): (written: string) => ImageMatch<T> {
  const byPath = new Map(images.map((image) => [image.path, image]));
  const byName = groupBy(images, (image) => nameOf(image));
  const byStem = groupBy(images, (image) => withoutEnding(nameOf(image)));

  function candidatesOf(name: string): { candidates: T[]; ended: boolean } {
    const named = byName.get(name);
    if (named !== undefined || hasImageExtension(name)) return { candidates: named ?? [], ended: true };
    return { candidates: byStem.get(name) ?? [], ended: false };
  }

  return (written) => {
    for (const base of bases) {
      const image = byPath.get(resolve(base, written));
      if (image !== undefined) return { ok: true, image, onlyByName: false };
    }
    const segments = segmentsOf(written);
    const name = canonical(segments.at(-1) ?? "");
    const { candidates, ended } = candidatesOf(name);
    if (candidates.length === 0) return { ok: false, reason: explainAbsence(name, byStem) };
    const spelledOf = (image: T) => segmentsOf(ended ? image.file : withoutEnding(image.file));
    const closeness = (image: T, spelling: Spelling) =>
      commonEnd(spelledOf(image).map(spelling), segments.map(spelling));
    const best = closestOf(candidates, closeness);
    const [image] = best;
    if (best.length > 1 || image === undefined) {
      const files = best.slice(0, 3).map(({ file }) => file);
      return { ok: false, reason: `several images are called so: ${files.join(", ")}` };
    }
    const common = closeness(image, canonical);
    const onlyByName = common < Math.min(segments.length, segmentsOf(image.file).length);
    return { ok: true, image, onlyByName };
  };
}

function explainAbsence(name: string, byStem: ReadonlyMap<string, readonly PlacedImage[]>): string {
  const [other] = byStem.get(withoutEnding(name)) ?? [];
  const hint = other === undefined ? "" : `; ${other.file} has another ending`;
  return `there is no such image${hint}`;
}
