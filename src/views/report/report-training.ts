import { loadHistory } from "../../training/runs/run-log";
import type { RunSummary } from "../../training/runs/run-summary";
import { plotTrainingCurves } from "../live/training-figures";
import { figureHtml } from "./report-figure";
import type { Section } from "./report-outputs";

const title = "How the head learned";

/** The epochs that a run has kept, as a section; null where there is none. */
export async function trainingSection(folder: string, summary: RunSummary | null): Promise<Section | null> {
  const history = await loadHistory({ folder });
  if (history.length === 0) return null;
  const majorityAccuracy = summary?.validation?.majorityClassAccuracy;
  const { data, layout } = plotTrainingCurves(history, {
    synthetic: summary?.synthetic ?? false,
    ...(summary === null ? {} : { bestEpoch: summary.bestEpoch }),
    ...(majorityAccuracy === undefined ? {} : { majorityAccuracy }),
  });
  const html = `<section id="training"><h2>${title}</h2>${figureHtml({ data, layout }, "front-training")}</section>`;
  return { id: "training", title, html };
}

/** The section in its place: after what was trained, before what came of it. */
export function withTraining(front: readonly Section[], training: Section | null): Section[] {
  if (training === null) return [...front];
  const place = front.findIndex(({ id }) => id === "model") + 1;
  return [...front.slice(0, place), training, ...front.slice(place)];
}
