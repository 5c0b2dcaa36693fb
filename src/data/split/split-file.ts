import { readFile } from "node:fs/promises";
import { z } from "zod";
import { writeFileAtomically } from "../../runtime/files/write-file";
import { refusal } from "../../runtime/refusal";
import { explainMismatch } from "../../runtime/schema-words";
import { nameSome } from "../../runtime/words";
import type { Dataset } from "../record";
import { checkSplit } from "./split-check";
import { type Split, type SplitPart, splitParts } from "./split-value";

const splitFileSchema = z.object({
  format: z.literal("breakhis-lab split"),
  version: z.literal(1),
  dataset: z.string(),
  by: z.enum(["patient", "image", "folder"]),
  seed: z.int(),
  images: z.array(z.object({ file: z.string(), sha256: z.string(), part: z.enum([...splitParts, "none"]) })),
});

/**
 * Writes a split to a JSON file that names every image with its checksum and its part, whole or not at all.
 *
 * @param options - As for `checkSplit`.
 * @throws Error if the split does not fit the data set.
 */
export async function saveSplit(
  path: string,
  dataset: Dataset,
  split: Split,
  options: { allowDuplicatesAcrossParts?: boolean } = {},
): Promise<void> {
  checkSplit(dataset, split, options);
  const partOf = new Map(splitParts.flatMap((part) => split[part].map((row) => [row, part] as const)));
  const content: z.infer<typeof splitFileSchema> = {
    format: "breakhis-lab split",
    version: 1,
    dataset: dataset.name,
    by: split.by,
    seed: split.seed,
    images: dataset.records.map(({ file, sha256 }, row) => ({
      file,
      sha256,
      part: partOf.get(row) ?? "none",
    })),
  };
  await writeFileAtomically(path, `${JSON.stringify(content, null, 1)}\n`);
}

/**
 * Reads a split that was saved, for the same images.
 *
 * @param options - As for `checkSplit`.
 * @throws Error that names the files if the data set has others, lacks some or some have changed; also if the file is
 * no split or breaks what it promises.
 */
export async function loadSplit(
  path: string,
  dataset: Dataset,
  options: { allowDuplicatesAcrossParts?: boolean } = {},
): Promise<Split> {
  const saved = parseSplitFile(path, await readFile(path, "utf8"));
  const rowOf = new Map(dataset.records.map(({ file }, row) => [file, row]));
  const savedFiles = new Set(saved.images.map(({ file }) => file));
  refuse(
    path,
    "the data set lacks",
    saved.images.filter(({ file }) => !rowOf.has(file)),
  );
  refuse(
    path,
    "these images have changed since",
    saved.images.filter(({ file, sha256 }) => dataset.records[rowOf.get(file)!]!.sha256 !== sha256),
  );
  refuse(
    path,
    "it does not know of",
    dataset.records.filter(({ file }) => !savedFiles.has(file)),
  );
  const split: Split = { by: saved.by, seed: saved.seed, train: [], validation: [], test: [] };
  for (const { file, part } of saved.images) if (part !== "none") split[part].push(rowOf.get(file)!);
  for (const part of splitParts) split[part].sort((one, other) => one - other);
  checkSplit(dataset, split, options);
  return split;
}

/**
 * The images that a saved split knows, with the parts that they are in.
 *
 * @throws Error if the file is no split.
 */
export async function filesOfSplit(
  path: string,
): Promise<{ file: string; sha256: string; part: SplitPart | "none" }[]> {
  return parseSplitFile(path, await readFile(path, "utf8")).images;
}

function parseSplitFile(path: string, text: string): z.infer<typeof splitFileSchema> {
  const remedy = "Split again and save it anew.";
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw refusal(`${path} is not a split saved by this project: it is not JSON. ${remedy}`);
  }
  const result = splitFileSchema.safeParse(json);
  if (result.success === true) return result.data;
  const complaints = explainMismatch(splitFileSchema, result.error, json, "the file");
  throw refusal(`${path} is not a split saved by this project: ${complaints}. ${remedy}`);
}

function refuse(path: string, problem: string, images: readonly { file: string }[]): void {
  if (images.length === 0) return;
  throw refusal(
    `The split ${path} does not fit the data set: ${problem} ${nameSome(images.map(({ file }) => file))}. ` +
      "Open the same images, with the same magnification, or split again.",
  );
}
