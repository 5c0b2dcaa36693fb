import type { SplitPart } from "../split/split-value";

/** What is looked for in a data set, in the order in which it is shown. */
export const integrityChecks = [
  "unreadable file",
  "exact duplicate",
  "near duplicate",
  "label conflict",
  "name contradicts label",
  "patient with several labels",
  "patient with several subtypes",
  "unexpected size",
  "colour outlier",
] as const;

export type IntegrityCheck = (typeof integrityChecks)[number];

/** One thing that was found. */
export interface IntegrityFinding {
  check: IntegrityCheck;
  /** The images concerned, relative to the data set's folder, sorted. */
  files: string[];
  /** Known patients of these images, sorted. */
  patients: string[];
  /** The parts of the split, or else of the folder, that these images are in. */
  parts: (SplitPart | "none")[];
  /** What was found, in words. */
  explanation: string;
}

/** What was found in a data set: plain values, in the order of the checks. */
export interface DatasetInspection {
  /** Images that could be read. */
  images: number;
  findings: IntegrityFinding[];
}

/** A check's outcome in numbers, one row a check. */
export interface IntegrityRow {
  check: IntegrityCheck;
  /** Groups of duplicates, patients, sizes or single files, as the check has it. */
  found: number;
  /** Images concerned. */
  images: number;
  /** Of those found, how many concern more than one patient. */
  acrossPatients: number;
  /** Of those found, how many concern more than one part. */
  acrossParts: number;
  /** The gravest one, or a dash where nothing was found. */
  example: string;
}

/** Counts what was found: one row for every check, also for those that found nothing. */
export function summarizeInspection(inspection: DatasetInspection): IntegrityRow[] {
  return integrityChecks.map((check) => {
    const findings = inspection.findings.filter((finding) => finding.check === check);
    return {
      check,
      found: findings.length,
      images: new Set(findings.flatMap(({ files }) => files)).size,
      acrossPatients: findings.filter(({ patients }) => patients.length > 1).length,
      acrossParts: findings.filter(({ parts }) => parts.length > 1).length,
      example: findings[0]?.explanation ?? "–",
    };
  });
}
