import { realpath } from "node:fs/promises";
import { readRunFile, summaryFile } from "../../training/runs/run-folder";
import type { RunSummary } from "../../training/runs/run-summary";

/**
 * What PerceptiLabs' use case of breast-cancer classification on BreaKHis says of its own run; accuracies in [0, 1].
 * Whether its 256 seconds are of a GPU or a CPU is not said.
 */
const article = { trainAccuracy: 1, validationAccuracy: 0.855, seconds: 256 };

/** What the article leaves open, and what `npm start -- --preset perceptilabs` does about it. */
export const articleAssumptions: string =
  "PerceptiLabs' article names the model (ResNet50 → Dense 128 → Dense 64 → Dense 2) and three numbers. It leaves open " +
  "how many epochs were trained, how images were split, whether ResNet50 was trained along, and on what device. " +
  "Assumed here: split by image, and ResNet50 trained along, for three epochs (where training accuracy reached 100 % " +
  "there) after its head alone.";

/** The article's figures beside those of two runs of the same settings, as text. */
export interface ArticleComparison {
  /** The first one is that of the rows' names. */
  columns: string[];
  rows: string[][];
  /** Whether the article's numbers can be compared with these, and why not. */
  comparability: string;
}

const percent = (value: number | null | undefined): string =>
  typeof value === "number" ? `${(100 * value).toFixed(1)} %` : "–";

/** In seconds: what happens between features and results. */
function trainingTime({ timings }: RunSummary): number {
  return ["training", "activations", "fineTuning"].reduce((sum, step) => sum + (timings[step] ?? 0), 0);
}

const seconds = (count: number): string => `${Math.round(count)} s`;

/** BreaKHis at 400X, which the article used, has 1,820 images; circulating copies of it 1,693. */
const articleImages = { fewest: 1600, most: 1900 };

function describeComparability({ synthetic, backbone, counts }: RunSummary): string {
  const images = Object.values(counts).reduce((sum, part) => sum + part.images, 0);
  const reasons = [
    ...(synthetic ? ["these images are synthetic"] : []),
    ...(backbone === "resnet50" ? [] : [`the backbone is ${backbone}, not ResNet50`]),
    ...(images >= articleImages.fewest && images <= articleImages.most
      ? []
      : [`there are ${images} images, and the article's set has some 1,700`]),
  ];
  return reasons.length > 0
    ? `The article's numbers can't be compared with these: ${reasons.join(", and ")}.`
    : "Split by image, the same patients are on both sides; only the column on the right asks about new ones.";
}

/**
 * Puts the article's figures beside those of two runs.
 *
 * @param byImage - Split as the article's run is taken to be.
 * @param byPatient - The same settings, split by patient.
 */
export function compareWithArticle(byImage: RunSummary, byPatient: RunSummary): ArticleComparison {
  const rows: [name: string, article: string, of: (run: RunSummary) => string][] = [
    ["accuracy, training", percent(article.trainAccuracy), (run) => percent(run.trainAccuracy)],
    [
      "accuracy, validation",
      percent(article.validationAccuracy),
      ({ validation }) => percent(validation?.accuracy),
    ],
    ["accuracy, test", "–", ({ test }) => percent(test?.accuracy)],
    ["test, whole patients", "–", ({ test }) => percent(test?.byPatient?.accuracy)],
    ["always the majority class", "–", ({ test }) => percent(test?.majorityClassAccuracy)],
    ["training time", seconds(article.seconds), (run) => seconds(trainingTime(run))],
  ];
  return {
    columns: ["", "article", "split by image", "split by patient"],
    rows: rows.map(([name, theirs, of]) => [name, theirs, of(byImage), of(byPatient)]),
    comparability: describeComparability(byImage),
  };
}

/** Where the preset keeps the run that is split by patient, beside the one that is split as assumed. */
export const byPatientFolder = (runFolder: string): string => `${runFolder}-by-patient`;

/**
 * The comparison of a run that the preset made, from its folder and the one beside it.
 *
 * @returns Null for any other run.
 * @throws Error naming the file if a summary is damaged.
 */
export async function readArticleComparison(runFolder: string): Promise<ArticleComparison | null> {
  // Not of the link `latest`, which has no folder of that name beside it.
  const folder = await realpath(runFolder);
  const byPatient = await readRunFile<RunSummary>(byPatientFolder(folder), summaryFile);
  if (byPatient === null) return null;
  const byImage = await readRunFile<RunSummary>(folder, summaryFile);
  return byImage === null ? null : compareWithArticle(byImage, byPatient);
}
