import { countOf } from "../runtime/words";
import type { Layout } from "./layouts/found-layout";
import type { Dataset } from "./record";

const layoutNames: Readonly<Record<Layout, string>> = {
  perceptilabs: "PerceptiLabs' layout (train and test folders with a labels file)",
  kaggle: "Kaggle's layout (train and test folders)",
  original: "the original BreaKHis tree",
  idc: "the IDC set's layout (a folder a patient)",
  "class-folders": "class folders",
  labels: "images",
};

/** One or two sentences: which layout was found where, and how many images, patients and magnifications there are. */
export function describeDataset(dataset: Dataset): string {
  const { records, classes } = dataset;
  const patients = new Set(records.flatMap(({ patient }) => patient ?? []));
  const byClass = classes.map(
    (name, label) => `${name} ${records.filter((record) => record.label === label).length}`,
  );
  const magnifications = [...new Set(records.flatMap(({ magnification }) => magnification ?? []))];
  const unknown = records.filter(({ magnification }) => magnification === null).length;
  const scales = magnifications.sort((one, other) => one - other).map((value) => `${value}×`);
  if (scales.length > 0 && unknown > 0) scales.push(`${unknown} of unknown magnification`);
  const from = patients.size === 0 ? "patients unknown" : `of ${countOf(patients.size, "patient")}`;
  const at = scales.length === 0 ? "" : ` at ${scales.join(", ")}`;
  const kind = dataset.synthetic ? "synthetic image" : "image";
  const by = dataset.labelsFile === undefined ? "" : `, labelled by ${dataset.labelsFile},`;
  const skipped = dataset.skipped.length;
  const left = skipped === 0 ? "" : ` ${countOf(skipped, "file was", "files were")} left out.`;
  return (
    `Found ${layoutNames[dataset.layout]}${by} in ${dataset.folder}: ${countOf(records.length, kind)} ` +
    `(${byClass.join(", ")}), ${from}${at}.${left}`
  );
}
