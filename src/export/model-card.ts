import { intervalMethod, type ScoredLevel } from "../scores/intervals/score-intervals";
import type { Scores } from "../scores/prediction";
import { notMedicalDevice, percent } from "../views/display/findings";
import { scoreNames, scoreOrder, scoreText } from "../views/display/score-names";
import { type AboutExport, differenceText, exportTolerance } from "./about-export";
import { callExample } from "./call-example";
import type { RunResults } from "./run-results";

/** Makes a name safe in Markdown: nothing in it is markup, a table's border or HTML. */
export const escapeMarkdown = (text: unknown): string =>
  String(text)
    .replace(/\s+/g, " ")
    // A dash or a plus begins a list, and is a dash or a plus anywhere else, as in each run's id.
    .replace(/[\\`*_{}[\]()#!|~<>&]|^[-+]/g, (character) => `&#${character.charCodeAt(0)};`);

const tableRow = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [tableRow(head), tableRow(head.map(() => "---")), ...rows.map(tableRow)].join("\n");
}

function decisionText({ classes, positiveClass, threshold }: AboutExport): string {
  if (positiveClass === null || classes.length !== 2) return "The most probable class is answered.";
  return `${escapeMarkdown(classes[positiveClass])} is answered from probability ${threshold} on. The threshold is not in the model: it stands in \`export.json\`.`;
}

function triageText({ triage }: AboutExport): string {
  if (triage === null) return "";
  const { threshold, level, description } = triage;
  const compared = level === "image" ? "each image" : "the mean of a patient's images";
  return `\n\nThe locked threshold for a second look is ${threshold}, compared with the probability of ${compared}. ${escapeMarkdown(description)}`;
}

function stainText({ input }: AboutExport): string {
  return input.stainNormalisation === null
    ? "Stains are left as they are."
    : "**Every image's stains must be normalised first** (Macenko et al. 2009, as in `src/data/images/stain.ts`), to the reference in `export.json`. That is not in the model; without it the answers are of no use.";
}

function intervalTable(levels: readonly [string, ScoredLevel][]): string {
  const rows = scoreOrder.map((name) => [
    scoreNames[name],
    ...levels.map(([, { scores }]) => (scores[name] === undefined ? "–" : scoreText(name, scores[name]))),
  ]);
  const majority = [
    "always the majority class",
    ...levels.map(([, level]) => percent(level.majorityClassAccuracy)),
  ];
  return table(["", ...levels.map(([title, { count }]) => `${title} (${count})`)], [majority, ...rows]);
}

function plainScores({ count, accuracy, majorityClassAccuracy, sensitivity, specificity }: Scores): string {
  const share = (value: number | null) => (value === null ? "–" : percent(value));
  return table(
    ["", `by image (${count})`],
    [
      ["accuracy", percent(accuracy)],
      ["always the majority class", percent(majorityClassAccuracy)],
      ["sensitivity", share(sensitivity)],
      ["specificity", share(specificity)],
    ],
  );
}

/** A run's scores on its test part, with intervals where it was analysed. */
export function scoresText({ summary, findings }: RunResults): string {
  if (summary === null)
    return "The run that trained it does not lie beside it, so its scores are not known here.";
  const split = `On the test part of the run ${escapeMarkdown(summary.id)}, split by ${summary.split}${summary.split === "patient" ? "" : " (patients may be both in training and in test)"}`;
  if (findings?.scores.ok === true) {
    const { image, patient } = findings.scores.value;
    const levels: [string, ScoredLevel][] = [["by image", image]];
    if (patient !== null) levels.push(["by patient", patient]);
    const coarse = patient === null ? "" : `\n\n${escapeMarkdown(patient.coarseness)}`;
    return `${split}, with 95 % intervals:\n\n${intervalTable(levels)}\n\n${intervalMethod}${coarse}`;
  }
  if (summary.test === null) return `${split}: there is no test part.`;
  return `${split}, without intervals, since the run was not analysed:\n\n${plainScores(summary.test)}`;
}

/** What it was trained on. */
export function dataText({ provenance }: Pick<AboutExport, "provenance">, { summary }: RunResults): string {
  const name = escapeMarkdown(provenance.dataset);
  const origin = provenance.synthetic
    ? `**Synthetic images** (${name}): they were drawn by a program, so nothing here says anything about tissue.`
    : `Trained on the data set ${name}.`;
  if (summary === null) return origin;
  const { train, validation, test } = summary.counts;
  const part = ({ images, patients }: { images: number; patients: number }) =>
    `${images} images${patients === 0 ? "" : ` of ${patients} patients`}`;
  return `${origin} Training: ${part(train)}; validation: ${part(validation)}; test: ${part(test)}.`;
}

export const classNames = ({ classes }: Pick<AboutExport, "classes">): string =>
  classes.map(escapeMarkdown).join(", ");

export const purposeText: string = `Learning and research: to see what a small head on a pretrained network can and cannot do with H&E breast images.
Not for diagnosis, nor for any decision about a person.`;

const limitsText = ({
  provenance,
}: AboutExport) => `- It answers for every image, also for one that shows no tissue.
- ${provenance.synthetic ? "It was trained on synthetic images only." : "It knows the images of one data set; other laboratories, scanners and stains are untested."}
- What the classifier knows of its training images, to warn of others, is not in the model.
- A patch is not a slide, and a slide is not a patient.`;

function networkText({ backbone, heads = 1 }: AboutExport): string {
  const pretrained = backbone.pretrained ? " with its published ImageNet weights" : "";
  const weights = `${escapeMarkdown(backbone.weights.name)}, SHA-256 ${backbone.weights.sha256}`;
  return `${backbone.name}${pretrained} (${weights}), BatchNorm folded into the convolutions,
then ${heads === 1 ? "a dense head. Probabilities are the softmax's own." : `${heads} dense heads, each trained without some of the patients. Probabilities are the means of their softmaxes; how far they disagree is not in the model.`}`;
}

function inputText(about: AboutExport): string {
  const [, size] = about.input.shape;
  return `In: float32 of shape [n, ${size}, ${size}, 3], RGB, 0 to 255. Preprocessing is in the model; resizing is not:
${about.input.resizing}

${stainText(about)}`;
}

const outputText = (about: AboutExport) =>
  `Out: probabilities of ${classNames(about)}, in this order. ${decisionText(about)}${triageText(about)}`;

const checkText = ({
  check,
}: AboutExport) => `When it was written, ${check.images} images were asked about, here and in breakhis-lab: the largest difference in probability was
${differenceText(check.largestDifference)} (at most ${exportTolerance} is accepted).`;

function callText(about: AboutExport): string {
  const { language, code, needs } = callExample(about);
  return `${needs}\n\n\`\`\`${language}\n${code}\n\`\`\``;
}

function originText({ provenance }: AboutExport): string {
  const { runId, created, seed } = provenance;
  const run = runId === null ? "unknown" : escapeMarkdown(runId);
  const versions = Object.entries(provenance.versions).map(
    ([name, version]) => `${escapeMarkdown(name)} ${escapeMarkdown(version)}`,
  );
  return `Run ${run}, ${escapeMarkdown(created)}, seed ${seed}; ${versions.join(", ")}.`;
}

/**
 * Writes an export's model card: what it is, what it is for and not for, what it was trained on, how well it does,
 * and how it is called.
 *
 * Mitchell et al., "Model Cards for Model Reporting", FAT* 2019.
 *
 * @returns Markdown in which no name of a class, data set or file is markup.
 */
export function modelCard(about: AboutExport, results: RunResults): string {
  const sections: [title: string, ...paragraphs: string[]][] = [
    ["What it is for, and what not", purposeText],
    ["Limits", limitsText(about)],
    ["Data", dataText(about, results)],
    ["Scores", scoresText(results)],
    ["The network", networkText(about)],
    ["What goes in, what comes out", inputText(about), outputText(about)],
    ["How it was checked", checkText(about)],
    ["How it is called", callText(about)],
    ["Where it comes from", originText(about)],
  ];
  return `# Model card

**${notMedicalDevice}**

A classifier of H&E-stained breast histology (${classNames(about)}), made with breakhis-lab and exported to
${about.modelFormat}: \`${about.model}\`. \`export.json\` beside it says the same for programs.

${sections.map(([title, ...paragraphs]) => [`## ${title}`, ...paragraphs].join("\n\n")).join("\n\n")}
`;
}
