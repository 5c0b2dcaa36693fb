import { describeRecipe } from "../../experiments/compare-recipes";
import type { Settings } from "../../runtime/settings";
import type { TemperatureFit } from "../../scores/calibration";
import { intervalMethod } from "../../scores/intervals/score-intervals";
import type { RunSummary } from "../../training/runs/run-summary";
import type { Findings } from "../analysis/analysis";
import type { DataCard } from "../dataset/data-card";
import type { Count } from "../display/dataset-counts";
import { percent } from "../display/findings";
import { escapeHtml } from "../display/html";
import { shareText } from "../display/score-names";
import { type Cell, tableHtml } from "../display/table-html";

const paragraph = (text: string) => (text === "" ? "" : `<p>${escapeHtml(text)}</p>`);

/** The headline numbers of the test part, each accuracy beside that of the majority class. */
export function headlineHtml({ scores, triage, data }: Findings): string {
  if (scores.ok === false) return paragraph(scores.reason);
  const { image, patient } = scores.value;
  const levels = [image, ...(patient === null ? [] : [patient])];
  const columns = [
    "",
    `by image (${image.count})`,
    ...(patient === null ? [] : [`by patient (${patient.count})`]),
  ];
  const all: Cell[][] = [
    ["accuracy", ...levels.map((level) => shareText(level.scores.accuracy))],
    ["always the majority class", ...levels.map((level) => percent(level.majorityClassAccuracy))],
    ["sensitivity", ...levels.map((level) => shareText(level.scores.sensitivity))],
    ["specificity", ...levels.map((level) => shareText(level.scores.specificity))],
    ["AUC", ...levels.map((level) => decimalText(level.scores.auc))],
  ];
  const rows = all.filter((row) => row.slice(1).some((cell) => cell !== null && cell !== "–"));
  const sentences = [
    `In parentheses: 95 % intervals. ${intervalMethod}`,
    ...(data.imagesWithoutPatient > 0
      ? [
          "Images whose patient is unknown count one by one, which makes intervals too narrow if patients repeat.",
        ]
      : []),
    ...(patient === null ? [] : [patient.coarseness]),
    scores.value.patientClass ?? "",
    magnificationsText(data),
    ...(triage.ok === true ? [] : [`Triage: ${triage.reason}`]),
  ];
  const origin = data.synthetic
    ? `<p><strong>${escapeHtml("The images are synthetic: these numbers say that the machinery works, and nothing about tissue.")}</strong></p>`
    : "";
  return `${origin}${tableHtml(columns, rows, "The test part")}${paragraph(sentences.filter((one) => one !== "").join(" "))}`;
}

/** Where tissue was photographed at several magnifications, one number for all of them hides that. */
function magnificationsText({ magnifications }: DataCard): string {
  if (magnifications.length < 2) return "";
  const counts = magnifications.map(({ value, total }) => `${value} (${total})`);
  return `Images of several magnifications are taken together, in training as in these numbers: ${counts.join(", ")}.`;
}

function decimalText({
  value,
  low,
  high,
}: {
  value: number | null;
  low: number | null;
  high: number | null;
}): string {
  if (value === null) return "–";
  return low === null || high === null
    ? `${value.toFixed(3)} (no interval)`
    : `${value.toFixed(3)} (${low.toFixed(3)} to ${high.toFixed(3)})`;
}

/** What a data set consists of, and how it was split. */
export function dataCardHtml(card: DataCard): string {
  const kinds = (counts: readonly Count[], most = 8) => {
    const shown = counts.slice(0, most).map(({ value, total }) => `${value}: ${total}`);
    const rest = counts.length - shown.length;
    return shown.join(", ") + (rest > 0 ? `, and ${rest} more` : "");
  };
  const rows: Cell[][] = [
    ["name", card.synthetic ? `${card.name}, synthetic images` : card.name],
    ["layout", card.layout],
    ["images", `${card.images}${ofPatients(card.patients)}${unknownText(card)}`],
    ...card.classes.map(({ name, images, patients }): Cell[] => [
      `class ${name}`,
      `${images} images${ofPatients(patients)}`,
    ]),
    ["subtypes", kinds(card.subtypes)],
    ["magnifications", kinds(card.magnifications)],
    ["years", kinds(card.years)],
    ["sizes, pixels", kinds(card.sizes)],
    ["files left out", card.skipped],
  ];
  const warnings = card.warnings.map(paragraph).join("");
  return `${tableHtml(["data set", ""], rows)}${warnings}`;
}

function unknownText({ imagesWithoutPatient }: DataCard): string {
  return imagesWithoutPatient === 0 ? "" : `, ${imagesWithoutPatient} of them of unknown patients`;
}

const ofPatients = (patients: number) => (patients === 0 ? "" : ` of ${patients} patients`);

/** How the data set was split, with the sentence that says whether it leaks. */
export function splitHtml({ split }: DataCard): string {
  return `${paragraph(split.sentence)}${tableHtml(split.columns, split.rows)}`;
}

/** Mitchell et al., Model Cards for Model Reporting, 2019: what it is, what it is for, what it is not for. */
export function modelCardHtml(summary: RunSummary, settings: Settings | null, findings: Findings): string {
  const { calibration, triage } = findings;
  const rows: Cell[][] = [
    ["backbone", `${summary.backbone}, frozen; ${summary.backboneExplanation}`],
    ["weights", `${summary.weights.name}, SHA-256 ${summary.weights.sha256}`],
    ...(settings === null ? [] : settingRows(settings)),
    ["training", `${summary.ended}, best epoch ${summary.bestEpoch}, seed ${summary.seed}`],
    ["decides at", decisionText(summary)],
    ["temperature", calibration.ok === true ? temperatureText(calibration.value.fit) : calibration.reason],
    ["triage", triage.ok === true ? triageText(triage.value.locked) : triage.reason],
    [
      "intended use",
      "learning and research: to see what a small head on a frozen network can and cannot do with H&E breast images",
    ],
    ["not for", "diagnosis, or any decision about a person"],
    ["limits", limitsText(summary, findings.data)],
  ];
  return tableHtml(["model", ""], rows);
}

const weighed: Record<Settings["classWeights"], string> = {
  balanced: "rare classes count more",
  patients: "each patient counts as much as any other of the class",
  none: "each image counts alike",
};

function settingRows(settings: Settings): Cell[][] {
  const { stain, augmentation, averageViews } = settings;
  return [
    [
      "input",
      `${settings.inputSize ?? 224} × ${settings.inputSize ?? 224} pixels, the whole image stretched to a square`,
    ],
    ["stains and views", describeRecipe({ stain, augmentation, averageViews })],
    [
      "head",
      `dense layers of ${[...settings.hiddenUnits, "one unit a class"].join(", ")}; dropout ${settings.dropout}, L2 ${settings.l2}`,
    ],
    [
      "learning",
      `Adam, learning rate ${settings.learningRate}, batches of ${settings.batchSize}, ${weighed[settings.classWeights]}`,
    ],
  ];
}

function decisionText({ classes, positiveClass, threshold }: RunSummary): string {
  if (positiveClass === null) return "the most probable class";
  return `${classes[positiveClass]} from probability ${threshold} on`;
}

function temperatureText({ temperature, atBound }: TemperatureFit): string {
  const value = temperature.toFixed(2);
  return atBound
    ? `unknown: validation does not tell (the fit ends at ${value}, the bound of its range)`
    : `${value}, fitted on validation; not applied to what is decided`;
}

function triageText({
  threshold,
  target,
  chosenOn,
  level,
}: {
  threshold: number;
  target: number;
  chosenOn: string;
  level: string;
}): string {
  return `second look from probability ${threshold.toFixed(3)} of the ${level} on; chosen on ${chosenOn} for a sensitivity of ${percent(target)}`;
}

function limitsText(summary: RunSummary, { synthetic, patients }: DataCard): string {
  const origin = synthetic
    ? "trained and tested on synthetic images only"
    : `trained and tested on images${ofPatients(patients)} of one data set; other laboratories, scanners and stains are untested`;
  const leak =
    summary.split === "patient"
      ? ""
      : `; split by ${summary.split}, so the test part may share patients with training`;
  return `${origin}; answers for every image, also one that shows no tissue${leak}`;
}
