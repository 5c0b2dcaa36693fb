import { copyFile, cp, mkdir, readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { manifestFile, readManifest } from "../model/classifier/classifier-manifest";
import { writeFolderAtomically } from "../runtime/files/atomic-folder";
import { writeWholeFile } from "../runtime/files/write-file";
import { refusal } from "../runtime/refusal";
import { completeSettings, type Settings } from "../runtime/settings";
import { readRunFile, settingsFile } from "../training/runs/run-folder";
import { notMedicalDevice } from "../views/display/findings";
import { writeReport } from "../views/report/report";
import { refuseForeignFolder } from "./foreign-folder";
import { classNames, dataText, escapeMarkdown, purposeText, scoresText } from "./model-card";
import { loadRunResults, type RunResults } from "./run-results";

const cardFile = "card.json";
const isCard = (json: unknown): boolean =>
  typeof json === "object" && json !== null && (json as { card?: unknown }).card === 1;

/** The settings that name files of this machine; whoever has the card gives their own. */
const elsewhere = { data: null, labels: null, weights: null } as const;

/** What has to be given where the run is made again. */
function flagsToGive({ data, labels, weights }: Settings, synthetic: boolean): string {
  const flags = [
    data === null || synthetic ? "" : " --data <folder of the images>",
    labels === null ? "" : " --labels <labels file>",
    weights === null ? "" : " --weights <weights file>",
  ];
  return flags.join("");
}

/** The commands that make the run again, and what they have to meet to come to the same. */
function againText(settings: Settings, { summary }: RunResults): string {
  const { code, dataFingerprint, computedOn, weights, synthetic = false } = summary ?? {};
  const checkout = code?.commit ? `git checkout ${escapeMarkdown(code.commit)}\n` : "";
  const facts = [
    dataFingerprint === undefined
      ? ""
      : `- images, labels and patients of the fingerprint ${dataFingerprint}`,
    weights === undefined ? "" : `- weights ${escapeMarkdown(weights.name)}, SHA-256 ${weights.sha256}`,
    computedOn === undefined
      ? ""
      : `- ${escapeMarkdown(computedOn.name)} (${computedOn.arithmetic}), for the same last digits`,
  ].filter((fact) => fact !== "");
  return `In a clone of breakhis-lab, with this folder in it as \`card\`:

\`\`\`sh
${checkout}npm start -- --settings card/${settingsFile}${flagsToGive(settings, synthetic)}
\`\`\`

The same seed comes to the same head, given

${facts.join("\n")}

Without training anything, it answers about images:

\`\`\`sh
npm run predict -- card/classifier <images>
npm run viewer -- card/classifier
\`\`\``;
}

function cardText(
  settings: Settings,
  classes: string[],
  results: RunResults,
  about: Parameters<typeof dataText>[0],
) {
  const sections = [
    ["What it is for, and what not", purposeText],
    ["Data", dataText(about, results)],
    ["Scores", scoresText(results)],
    ["How to make it again", againText(settings, results)],
    [
      "What is here",
      "`classifier/` (what predicts), `report.html` (one page with all results), `settings.json`, `split.json` (which image was in which part).",
    ],
  ];
  return `# A classifier of ${classNames({ classes })}

**${notMedicalDevice}**

Made with breakhis-lab: H&E-stained breast histology.

${sections.map(([title, text]) => `## ${title}\n\n${text}`).join("\n\n")}
`;
}

/** The classifier without the paths of this machine; all else is copied as it is. */
async function copyClassifier(from: string, to: string): Promise<void> {
  await cp(from, to, { recursive: true });
  const path = join(to, manifestFile);
  const manifest = JSON.parse(await readFile(path, "utf8"));
  const provenance = { ...manifest.provenance, weightsPath: null };
  await writeWholeFile(path, `${JSON.stringify({ ...manifest, provenance }, null, 2)}\n`);
}

/**
 * Puts into one folder what others need of a run: the classifier, its card, the report, the settings and the split, with
 * the commands that make it again. Paths of this machine stay here.
 *
 * @param out - A new or empty folder, or an earlier card, which is replaced.
 * @returns The folder's path.
 * @throws Error if the run has no classifier, or the folder holds something else.
 *
 * @example
 * await writeRunCard("runs/latest", "shared/card");
 */
export async function writeRunCard(runFolder: string, out: string): Promise<string> {
  await refuseForeignFolder(out, { file: cardFile, isOurs: isCard, name: "a run's card" });
  const written = await readRunFile<Settings>(runFolder, settingsFile);
  const classifierFolder = join(runFolder, "classifier");
  const { classes, provenance } = await readManifest(classifierFolder);
  if (written === null) throw refusal(`${runFolder} is no run's folder: it holds no ${settingsFile}.`);
  const settings = completeSettings(written);
  const report = await writeReport(runFolder);
  const results = await loadRunResults(classifierFolder, provenance.runId);
  await writeFolderAtomically(out, async (folder) => {
    await mkdir(folder, { recursive: true });
    await copyClassifier(classifierFolder, join(folder, "classifier"));
    await copyFile(report, join(folder, "report.html"));
    await copyFile(join(runFolder, "split.json"), join(folder, "split.json"));
    const shared = { ...settings, ...elsewhere };
    await writeWholeFile(join(folder, settingsFile), `${JSON.stringify(shared, null, 2)}\n`);
    await writeWholeFile(join(folder, "README.md"), cardText(settings, classes, results, { provenance }));
    await writeWholeFile(join(folder, cardFile), `${JSON.stringify({ card: 1, run: provenance.runId })}\n`);
  });
  return resolve(out);
}
