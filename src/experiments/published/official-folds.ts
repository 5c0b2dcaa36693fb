import { readdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { parse } from "csv-parse/sync";
import { parseBreakhisName } from "../../data/layouts/breakhis";
import type { Dataset } from "../../data/record";
import { distributeUnits, groupRecords } from "../../data/split/split-units";
import { createRandom } from "../../runtime/random";
import { refusal } from "../../runtime/refusal";
import { byCodeUnits, countOf, nameSome } from "../../runtime/words";
import type { Fold } from "../patient-folds";

/** A patient who lies in the training part and in the test part of one fold file. */
export interface SharedPatient {
  /** The slide's number without its letters. */
  patient: string;
  /** Slides of theirs that themselves lie in both parts; none where the parts have different slides of the patient. */
  slides: string[];
}

/** One of the five divisions of BreaKHis that its publications use, matched to a data set. */
export interface OfficialFold extends Fold {
  /** The file's name. */
  file: string;
  /** Images that the file names. */
  named: number;
  /** Names in the file that the data set does not have. */
  missing: string[];
  /** Records that the file does not name; they are in no part. */
  unnamed: string[];
  /**
   * By all names in the file, whether their images are here or not; of names that are no BreaKHis names, by the data
   * set's records. The published files took slides with different letters for different patients.
   */
  shared: SharedPatient[];
}

interface FoldLine {
  name: string;
  part: "train" | "test";
  line: number;
}

function parseLine(fields: readonly string[], line: number, path: string): FoldLine {
  const [name = "", magnification = "", fold = "", part = ""] = fields.map((field) => field.trim());
  const found = fields.join("|");
  if (fields.length !== 4 || name === "" || (part !== "train" && part !== "test")) {
    throw refusal(
      `${path}, line ${line}: expected imagename|magnification|fold|train or test, found "${found}".`,
    );
  }
  if (!/^\d+$/.test(magnification) || !/^\d+$/.test(fold)) {
    throw refusal(`${path}, line ${line}: magnification and fold should be whole numbers, found "${found}".`);
  }
  return { name, part, line };
}

function parseFoldFile(text: Buffer, path: string): Map<string, FoldLine> {
  const rows = parse(text, {
    delimiter: "|",
    bom: true,
    quote: null,
    skip_empty_lines: true,
    relax_column_count: true,
    info: true,
    // With info, csv-parse gives objects, which its types don't tell.
  }) as unknown as { record: string[]; info: { lines: number } }[];
  const lines = new Map<string, FoldLine>();
  for (const { record, info } of rows) {
    const line = parseLine(record, info.lines, path);
    const before = lines.get(line.name);
    if (before !== undefined && before.part !== line.part) {
      throw refusal(
        `${path}, line ${line.line}: ${line.name} is in ${line.part}, but line ${before.line} has it in ${before.part}.`,
      );
    }
    lines.set(line.name, line);
  }
  if (lines.size === 0) throw refusal(`${path} names no image; expected imagename|magnification|fold|part.`);
  return lines;
}

/** Finds who lies in both parts of a fold file. */
function findShared(lines: Iterable<FoldLine>, dataset: Dataset): SharedPatient[] {
  const records = new Map(dataset.records.map((record) => [basename(record.file), record]));
  const patients = new Map<string, Map<string, Set<FoldLine["part"]>>>();
  for (const { name, part } of lines) {
    const { patient = null, slide = null } = parseBreakhisName(name) ?? records.get(name) ?? {};
    if (patient === null) continue;
    const slides = patients.get(patient) ?? new Map<string, Set<FoldLine["part"]>>();
    patients.set(patient, slides);
    const parts = slides.get(slide ?? patient) ?? new Set();
    slides.set(slide ?? patient, parts.add(part));
  }
  return [...patients]
    .filter(([, slides]) => new Set([...slides.values()].flatMap((parts) => [...parts])).size > 1)
    .map(([patient, slides]) => ({
      patient,
      slides: [...slides].flatMap(([slide, parts]) => (parts.size > 1 ? [slide] : [])),
    }))
    .sort((one, other) => byCodeUnits(one.patient, other.patient));
}

/**
 * Reads one of BreaKHis's official fold files, `dsfold1.txt` to `dsfold5.txt`: a line an image,
 * `imagename|magnification|fold|train` or `…|test`. The folds are divisions drawn independently, not parts of one:
 * an image can be tested in several.
 *
 * They have no validation part, so a fifth of the training patients is taken for it. Images are matched by file
 * name, wherever they lie; of a data set that has only a part of them, that part is used.
 *
 * @param fold - Its number in the result, from 0 on.
 * @throws Error naming file and line if a line is something else, or if train or test has no image of the data set.
 */
export async function loadOfficialFold(path: string, dataset: Dataset, fold = 0): Promise<OfficialFold> {
  const lines = parseFoldFile(await readFile(path), path);
  const { records } = dataset;
  const rowsOf = (part: FoldLine["part"]) =>
    records.flatMap(({ file }, row) => (lines.get(basename(file))?.part === part ? [row] : []));
  const [learned, test] = [rowsOf("train"), rowsOf("test")];
  if (learned.length === 0 || test.length === 0) {
    throw refusal(
      `${path} names ${countOf(learned.length, "training image")} and ${countOf(test.length, "test image")} of ` +
        `${dataset.folder}; both are needed. Is this the data set that the file is about?`,
    );
  }
  const known = new Set(records.map(({ file }) => basename(file)));
  return {
    fold,
    file: basename(path),
    named: lines.size,
    test,
    ...holdOutValidation(dataset, learned, fold),
    missing: [...lines.keys()].filter((name) => !known.has(name)),
    unnamed: records.map(({ file }) => file).filter((file) => !lines.has(basename(file))),
    shared: findShared(lines.values(), dataset),
  };
}

/**
 * Reads all fold files of a folder, in the order of their numbers.
 *
 * @param folder - Holds `dsfold1.txt`, `dsfold2.txt`, …
 * @throws Error if it has none, or one can't be read; see `loadOfficialFold`.
 */
export async function loadOfficialFolds(folder: string, dataset: Dataset): Promise<OfficialFold[]> {
  const names = (await readdir(folder)).filter((name) => /^dsfold\d+\.txt$/i.test(name));
  if (names.length === 0) {
    throw refusal(
      `${folder} has no fold files: dsfold1.txt to dsfold5.txt are expected, as BreaKHis' authors publish them.`,
    );
  }
  names.sort((one, other) => one.localeCompare(other, "en", { numeric: true }));
  return Promise.all(names.map((name, fold) => loadOfficialFold(join(folder, name), dataset, fold)));
}

function holdOutValidation(
  dataset: Dataset,
  rows: number[],
  fold: number,
): Pick<Fold, "train" | "validation"> {
  const units = groupRecords(dataset.records, rows, ({ patient, file, sha256 }) => [
    patient === null ? `file ${file}` : `patient ${patient}`,
    `content ${sha256}`,
  ]);
  const labels = [...new Set(units.map(({ label }) => label))];
  const scarce = labels.filter((label) => units.filter((unit) => unit.label === label).length < 2);
  if (scarce.length > 0) {
    throw refusal(
      `The training part has only one patient of ${nameSome(scarce.map((label) => dataset.classes[label]!))}: ` +
        "one to learn from and one to decide when to stop are needed.",
    );
  }
  const random = createRandom(fold).fork("validation of an official fold");
  const parts = distributeUnits(units, { train: 0.8, validation: 0.2, test: 0 }, 1, random);
  return { train: parts.train, validation: parts.validation };
}
