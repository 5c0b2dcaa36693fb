import type { Dataset } from "../../data/dataset";
import {
  type DatasetInspection,
  type IntegrityFinding,
  summarizeInspection,
} from "../../data/integrity/integrity";
import { largest } from "../../runtime/many";
import type { HtmlDisplay } from "../display/display";
import { titleWithOrigin } from "../display/figure";
import { type PlainTable, plainTable } from "../display/plain-table";
import { captionOf } from "./dataset-tables";
import { imageGrid, recordItem } from "./image-grid";

/** What `inspectDataset` looked for, and how often it found it: one row a check, also where nothing was found. */
export function integrityTable(dataset: Dataset, inspection: DatasetInspection): PlainTable {
  const rows = summarizeInspection(inspection).map((row) => ({
    "looked for": row.check,
    found: row.found,
    images: row.images,
    "across patients": row.acrossPatients,
    "across parts": row.acrossParts,
    "for example": row.example,
  }));
  return plainTable(rows, captionOf(dataset, `What was found in ${inspection.images} images`));
}

/** Checks whose findings have to be seen to be judged, the gravest first. */
const picturedChecks: readonly IntegrityFinding["check"][] = [
  "label conflict",
  "exact duplicate",
  "near duplicate",
  "name contradicts label",
  "colour outlier",
  "unexpected size",
];
/** Copies of one picture are alike: more of them tell nothing new. */
const picturesAFinding = 3;

/**
 * Shows the images that `inspectDataset` found something about, copies side by side.
 *
 * @param options.limit - At most this many pictures (default 12); each kind of finding gets its turn.
 * @throws Error if one of the images can't be read any more.
 */
export function integrityGrid(
  dataset: Dataset,
  inspection: DatasetInspection,
  options: { limit?: number } = {},
): Promise<HtmlDisplay> {
  const { limit = 12 } = options;
  const rowOf = new Map(dataset.records.map(({ file }, row) => [file, row]));
  const items = takeTurns(inspection.findings).flatMap((finding) =>
    finding.files.slice(0, picturesAFinding).map((file) => {
      const row = rowOf.get(file)!;
      const part = finding.parts.length > 1 ? [`parts: ${finding.parts.join(", ")}`] : [];
      return recordItem(dataset, row, [finding.check, ...part]);
    }),
  );
  const title = items.length === 0 ? "Nothing was found that pictures would show" : "Images to look at";
  return imageGrid(items.slice(0, limit), { title: titleWithOrigin(title, dataset.synthetic) });
}

/** The first finding of each check, then the second of each, and so on. */
function takeTurns(findings: readonly IntegrityFinding[]): IntegrityFinding[] {
  const byCheck = picturedChecks.map((check) => findings.filter((finding) => finding.check === check));
  const turns = largest(byCheck.map((ofCheck) => ofCheck.length));
  return Array.from({ length: turns }, (_, turn) => byCheck.flatMap((ofCheck) => ofCheck[turn] ?? [])).flat();
}
