import { sha256 } from "../runtime/content-hash";
import type { Dataset } from "./record";

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
