import { groupRows } from "../../runtime/group-by";
import { largest } from "../../runtime/many";
import { byCodeUnits, countOf } from "../../runtime/words";
import { parseBreakhisName } from "../layouts/breakhis";
import { idcClasses, parseIdcName } from "../layouts/idc";
import type { Dataset, ImageRecord } from "../record";
import { type Split, splitParts } from "../split/split-value";
import { findColourOutliers, findUnexpectedSizes } from "./image-outliers";
import {
  type DatasetInspection,
  type IntegrityCheck,
  type IntegrityFinding,
  integrityChecks,
} from "./integrity-value";
import { differingBits, groupNearDuplicates } from "./near-duplicates";

export {
  type DatasetInspection,
  type IntegrityFinding,
  type IntegrityRow,
  integrityChecks,
  summarizeInspection,
} from "./integrity-value";

type PartOf = (row: number) => IntegrityFinding["parts"][number] | null;

/** What the finders need to say where an image stands. */
interface Context {
  dataset: Dataset;
  partOf: PartOf;
}

/**
 * Looks for what makes results wrong without anybody noticing.
 *
 * Files that can't be read; images there more than once, byte for byte or nearly so (compressed anew, resized,
 * brightened; turned or mirrored copies are not found); the same picture with different labels; names that contradict
 * the label; patients with several labels or subtypes; unusual sizes and colours. All that is needed was found out when
 * the data set was opened: no file is read.
 *
 * @param split - Whose parts are told; without one, those of train and test folders.
 *
 * @example
 * const { findings } = inspectDataset(dataset, split);
 */
export function inspectDataset(dataset: Dataset, split?: Split): DatasetInspection {
  const context: Context = { dataset, partOf: partFinder(dataset, split) };
  const copies = groupCopies(dataset.records);
  const likenesses = groupLikenesses(dataset.records);
  const findings: IntegrityFinding[] = [
    ...dataset.skipped.map(({ file, reason }) => ({
      check: "unreadable file" as const,
      files: [file],
      patients: [],
      parts: [],
      explanation: `${file}: ${reason}.`,
    })),
    ...copies.map((rows) => duplicateFinding("exact duplicate", rows, "byte for byte the same", context)),
    ...likenesses.map((rows) =>
      duplicateFinding("near duplicate", rows, describeLikeness(rows, context), context),
    ),
    ...[...copies, ...likenesses].flatMap((rows) => labelConflict(rows, context)),
    ...contradictingNames(context),
    ...patientsWithSeveral("patient with several labels", ({ label }) => dataset.classes[label]!, context),
    ...patientsWithSeveral("patient with several subtypes", ({ subtype }) => subtype, context),
    ...unexpectedSizes(context),
    ...colourOutliers(context),
  ];
  const gravity = ({ parts, patients }: IntegrityFinding) =>
    (parts.length > 1 ? 2 : 0) + (patients.length > 1 ? 1 : 0);
  const order = (check: IntegrityCheck) => integrityChecks.indexOf(check);
  findings.sort((one, other) => order(one.check) - order(other.check) || gravity(other) - gravity(one));
  return { images: dataset.records.length, findings };
}

function partFinder(dataset: Dataset, split: Split | undefined): PartOf {
  if (split === undefined) return (row) => dataset.records[row]!.folderPart;
  const parts = new Map(splitParts.flatMap((part) => split[part].map((row) => [row, part] as const)));
  return (row) => parts.get(row) ?? "none";
}

function findingOf(
  check: IntegrityCheck,
  rows: readonly number[],
  explanation: string,
  { dataset, partOf }: Context,
): IntegrityFinding {
  const sorted = <T extends string>(values: readonly T[]) => [...new Set(values)].sort(byCodeUnits);
  const records = rows.map((row) => dataset.records[row]!);
  return {
    check,
    files: sorted(records.map(({ file }) => file)),
    patients: sorted(records.flatMap(({ patient }) => patient ?? [])),
    parts: sorted(rows.flatMap((row) => partOf(row) ?? [])),
    explanation,
  };
}

const groupCopies = (records: readonly ImageRecord[]) =>
  [...groupRows(records, ({ sha256 }) => sha256).values()].filter((rows) => rows.length > 1);

/** Groups of images that look alike, without those that are all the same file. */
function groupLikenesses(records: readonly ImageRecord[]): number[][] {
  const groups = groupNearDuplicates(records.map((record) => record.perceptualHash));
  return groups.filter((rows) => new Set(rows.map((row) => records[row]!.sha256)).size > 1);
}

function describeLikeness(rows: readonly number[], { dataset }: Context): string {
  const hashes = rows.map((row) => dataset.records[row]!.perceptualHash!);
  const distances = hashes.slice(1).map((hash) => differingBits(hashes[0]!, hash));
  return `nearly the same (${largest(distances)} of 63 bits differ)`;
}

function duplicateFinding(
  check: IntegrityCheck,
  rows: readonly number[],
  how: string,
  context: Context,
): IntegrityFinding {
  const finding = findingOf(check, rows, "", context);
  const where = [
    ...(finding.parts.length > 1 ? [`in ${finding.parts.join(" and ")}`] : []),
    ...(finding.patients.length > 1 ? [`of patients ${finding.patients.join(", ")}`] : []),
  ];
  const places = where.length === 0 ? "" : `, ${where.join(", ")}`;
  return { ...finding, explanation: `${joinFiles(finding.files)}: ${how}${places}.` };
}

function labelConflict(rows: readonly number[], context: Context): IntegrityFinding[] {
  const { records, classes } = context.dataset;
  const labels = [...new Set(rows.map((row) => records[row]!.label))].sort((one, other) => one - other);
  if (labels.length < 2) return [];
  const finding = findingOf("label conflict", rows, "", context);
  const names = labels.map((label) => classes[label]!).join(" and ");
  return [{ ...finding, explanation: `${joinFiles(finding.files)}: one picture, labelled ${names}.` }];
}

/** The class that a file's name announces, where it is one of the data set's. */
function classOfName(file: string, classes: readonly string[]): string | null {
  const idc = parseIdcName(file);
  const announced = idc === null ? parseBreakhisName(file)?.tumourClass : idcClasses[idc.isIdc ? 1 : 0];
  return announced !== undefined && classes.includes(announced) ? announced : null;
}

function contradictingNames(context: Context): IntegrityFinding[] {
  const { records, classes } = context.dataset;
  return records.flatMap(({ file, label }, row) => {
    const announced = classOfName(file, classes);
    if (announced === null || announced === classes[label]) return [];
    const explanation = `${file}: its name says ${announced}, it is used as ${classes[label]}.`;
    return [findingOf("name contradicts label", [row], explanation, context)];
  });
}

function patientsWithSeveral(
  check: IntegrityCheck,
  pick: (record: ImageRecord) => string | null,
  context: Context,
): IntegrityFinding[] {
  // In the IDC set every patient has patches of both kinds: there it is no flaw.
  const { classes, records } = context.dataset;
  if (idcClasses.every((name) => classes.includes(name))) return [];
  const findings: IntegrityFinding[] = [];
  for (const [patient, rows] of groupRows(records, (record) => record.patient)) {
    const counts = new Map<string, number>();
    for (const row of rows) {
      const value = pick(records[row]!);
      if (value !== null) counts.set(value, (counts.get(value) ?? 0) + 1);
    }
    if (counts.size < 2) continue;
    const each = [...counts].sort((one, other) => byCodeUnits(one[0], other[0]));
    const list = each.map(([value, count]) => `${value} (${countOf(count, "image")})`).join(" and ");
    findings.push(findingOf(check, rows, `Patient ${patient} has ${list}.`, context));
  }
  return findings;
}

function unexpectedSizes(context: Context): IntegrityFinding[] {
  return findUnexpectedSizes(context.dataset.records).map(({ size, expected, rows }) => {
    const explanation = `${countOf(rows.length, "image has", "images have")} ${size} pixels; most have ${expected}.`;
    return findingOf("unexpected size", rows, explanation, context);
  });
}

function colourOutliers(context: Context): IntegrityFinding[] {
  const { records } = context.dataset;
  return findColourOutliers(records).map(({ row, channel, value, median, score }) => {
    const explanation =
      `${records[row]!.file}: mean ${channel} ${value.toFixed(0)}, where the median is ${median.toFixed(0)} ` +
      `(robust z-score ${score.toFixed(1)}).`;
    return findingOf("colour outlier", [row], explanation, context);
  });
}

const filesNamed = 4;

function joinFiles(files: readonly string[]): string {
  const rest = files.length - filesNamed;
  return files.slice(0, filesNamed).join(" = ") + (rest > 0 ? ` = and ${rest} more` : "");
}
