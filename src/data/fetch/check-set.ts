import { join } from "node:path";
import pMap from "p-map";
import { startProgress } from "../../runtime/progress";
import { countOf, nameSome } from "../../runtime/words";
import { describeNotes, imageConcurrency, inspectImage } from "../images/images";
import { type ClassOptions, chooseClasses } from "../layouts/class-names";
import type { FoundLayout } from "../layouts/found-layout";
import { type LayoutOptions, recogniseLayout } from "../layouts/layouts";
import { withName } from "../layouts/named-images";
import { damaged, lastingError } from "./download-problems";
import { type ClassCounts, type DataSource, expectedCounts } from "./sources";

/** What a folder of images holds. */
export interface CheckedSet {
  images: number;
  byClass: Record<string, number>;
  /** What is odd but no reason to refuse a set of the user's own. */
  warnings: string[];
}

/** What is asked of a set. */
export interface SetExpectation extends LayoutOptions, ClassOptions {
  /** Null for a set of the user's own, of which nothing is known. */
  source: DataSource | null;
  magnification: number | null;
  signal: AbortSignal;
  /** What there is, in a sentence, where the folder holds only what was kept of it. */
  describeContents?: () => string;
}

interface CountedImage {
  className: string;
  magnification: number | null;
}

/** Images under the names that classes have when the set is opened. */
function nameImages(layout: FoundLayout, options: ClassOptions) {
  const { classes, labelOf, warnings } = chooseClasses(
    layout.images.map(({ className }) => className),
    options,
  );
  const images = layout.images.map((image): CountedImage => {
    const { magnification } = withName({ ...image, path: image.file });
    return { className: classes[labelOf(image.className)]!, magnification };
  });
  return { images, warnings };
}

function countClasses(images: readonly CountedImage[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { className } of images) counts[className] = (counts[className] ?? 0) + 1;
  return Object.fromEntries(Object.entries(counts).sort(([one], [other]) => (one < other ? -1 : 1)));
}

/** Counts in words, for example "547 benign, 1,146 malignant". */
export function countsText(counts: ClassCounts): string {
  const parts = Object.entries(counts).map(([name, count]) => `${count.toLocaleString("en")} ${name}`);
  return parts.join(", ") || "no images";
}

function differs(found: ClassCounts, expected: ClassCounts): boolean {
  const names = new Set([...Object.keys(found), ...Object.keys(expected)]);
  return [...names].some((name) => (found[name] ?? 0) !== (expected[name] ?? 0));
}

/** Compares with what the publisher counts, at each magnification and in all. */
function requireExpected(images: readonly CountedImage[], source: DataSource, wanted: number | null): void {
  const scales = wanted === null ? Object.keys(source.expected).map(Number) : [wanted];
  for (const scale of [...scales, null]) {
    const found = countClasses(
      scale === null ? images : images.filter(({ magnification }) => magnification === scale),
    );
    const expected = expectedCounts(source, scale ?? wanted);
    if (!differs(found, expected)) continue;
    const where = scale === null ? "in all" : `at ${scale}×`;
    throw damaged(`it holds ${countsText(found)} images ${where}, expected ${countsText(expected)}`);
  }
}

/** Images that can't be read, and those that look wrong, each with the reason in parentheses. */
async function lookIntoImages(
  folder: string,
  files: readonly string[],
  signal: AbortSignal,
): Promise<{ unreadable: string[]; notes: string[] }> {
  const progress = startProgress("Checking images", files.length, "images");
  try {
    const inspections = await pMap(
      files,
      async (file) => {
        signal.throwIfAborted();
        const inspection = await inspectImage(join(folder, file));
        progress.advance();
        return { file, inspection };
      },
      { concurrency: imageConcurrency },
    );
    const told = inspections.map(({ file, inspection }) =>
      inspection.ok === true
        ? { unreadable: null, note: inspection.facts.note && `${file} (${inspection.facts.note})` }
        : { unreadable: `${file} (${inspection.reason})`, note: null },
    );
    return {
      unreadable: told.flatMap(({ unreadable }) => unreadable ?? []),
      notes: told.flatMap(({ note }) => note ?? []),
    };
  } finally {
    progress.finish();
  }
}

/**
 * Makes sure that a folder holds a known layout, that its images can be decoded and, for a published set, that there
 * are exactly as many as its publisher counts and every row of its labels file has its image.
 *
 * @throws Error whose message is the rest of a sentence.
 */
export async function checkSet(folder: string, expectation: SetExpectation): Promise<CheckedSet> {
  const { source, magnification, signal } = expectation;
  const layout = await recogniseLayout(folder, expectation).catch((error: Error) => {
    const found = /Found: [^\n]*/.exec(error.message)?.[0];
    const there = expectation.describeContents?.() ?? found;
    const reason =
      found === undefined ? error.message : `it holds no images in a layout that is known here. ${there}`;
    throw lastingError(reason.replace(/\.$/, ""));
  });
  const { images, warnings } = nameImages(layout, expectation);
  if (source !== null) requireExpected(images, source, magnification);
  const missing = layout.skipped.map(({ file, reason }) => `${file} (${reason})`);
  if (source !== null && missing.length > 0) throw damaged(`not usable: ${nameSome(missing, 3)}`);
  const files = layout.images.map((image) => image.file);
  const { unreadable, notes } = await lookIntoImages(layout.folder, files, signal);
  const sentence = `${countOf(unreadable.length, "image")} can't be read: ${nameSome(unreadable, 3)}`;
  if (unreadable.length > 0 && (source !== null || unreadable.length === images.length))
    throw damaged(sentence);
  return {
    images: images.length,
    byClass: countClasses(images),
    warnings: [
      ...layout.warnings,
      ...warnings,
      ...(missing.length > 0 ? [`Not usable: ${nameSome(missing)}.`] : []),
      ...(unreadable.length > 0 ? [`${sentence}.`] : []),
      ...describeNotes(notes),
    ],
  };
}
