import { relative, sep } from "node:path";
import { countOf, nameSome } from "../../runtime/words";
import { findImages, subfolders } from "./folder-walk";
import type { FoundImage, FoundLayout } from "./found-layout";
import { idcClasses, parseIdcName } from "./idc";

const patientFolder = /^\d+$/;
const labelFolder = /^[01]$/;

/**
 * The IDC set: a folder a patient, in it 0 and 1 with patches that are named after patient, place and class.
 *
 * At least one name has to be of that kind: folders 0 and 1 alone may mean anything.
 */
export async function recogniseIdc(folder: string): Promise<FoundLayout | null> {
  const found: Pick<FoundLayout, "images" | "skipped"> = { images: [], skipped: [] };
  const unused: string[] = [];
  const toFile = (path: string) => relative(folder, path).split(sep).join("/");
  for (const patient of await subfolders(folder)) {
    const labels = patientFolder.test(patient.name)
      ? (await subfolders(patient.path)).filter(({ name }) => labelFolder.test(name))
      : [];
    if (labels.length === 0) unused.push(`${patient.name}/`);
    for (const label of labels) {
      const files = await findImages(label.path);
      const className = idcClasses[Number(label.name) as 0 | 1];
      for (const path of files.images) {
        found.images.push({ path, file: toFile(path), className, folderPart: null, patient: patient.name });
      }
      for (const { path, reason } of files.unusable) found.skipped.push({ file: toFile(path), reason });
    }
  }
  if (!found.images.some(({ file }) => parseIdcName(file) !== null)) return null;
  const warnings = warnAboutIdcNames(found.images);
  if (unused.length > 0) {
    warnings.push(`Not used, since it is not part of the layout: ${nameSome(unused)}.`);
  }
  return { layout: "idc", folder, ...found, warnings };
}

function warnAboutIdcNames(images: readonly FoundImage[]): string[] {
  const contradicting: string[] = [];
  const nameless: string[] = [];
  for (const { file, className, patient } of images) {
    const name = parseIdcName(file);
    if (name === null) nameless.push(file);
    else if (name.patient !== patient || idcClasses[name.isIdc ? 1 : 0] !== className) {
      contradicting.push(`${file} (used as ${className} of patient ${patient})`);
    }
  }
  const warnings: string[] = [];
  if (contradicting.length > 0) {
    const files = countOf(contradicting.length, "file");
    warnings.push(`The names of ${files} contradict their folders, which count: ${nameSome(contradicting)}.`);
  }
  if (nameless.length > 0) {
    const files = countOf(nameless.length, "file has", "files have");
    warnings.push(`${files} no name of the IDC set, so only the folders count: ${nameSome(nameless)}.`);
  }
  return warnings;
}
