import { sha256 } from "../runtime/cache/content-hash";
import type { Dataset } from "./record";

/** Records of a large set are many megabytes to hash, and they don't change. */
const known = new WeakMap<readonly object[], string>();

/**
 * A number for exactly these images under these names, whatever is known of them.
 *
 * @returns SHA-256 as 64 hexadecimal digits.
 */
export function fingerprintImages(records: readonly { file: string; sha256: string }[]): string {
  const before = known.get(records);
  if (before !== undefined) return before;
  const fingerprint = sha256(JSON.stringify(records.map(({ file, sha256: content }) => [file, content])));
  known.set(records, fingerprint);
  return fingerprint;
}

/**
 * A number for exactly these images with these labels and patients, wherever their folder lies.
 *
 * @returns SHA-256 as 64 hexadecimal digits.
 */
export function fingerprintDataset(dataset: Pick<Dataset, "classes" | "records">): string {
  const lines = dataset.records.map(({ file, sha256: content, label, patient }) => [
    file,
    content,
    label,
    patient,
  ]);
  return sha256(JSON.stringify([dataset.classes, lines]));
}
