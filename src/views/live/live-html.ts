import { titleWithOrigin } from "../display/figure";
import { percent } from "../display/findings";
import { escapeHtml } from "../display/html";
import { tableHtml } from "../display/table-html";
import {
  answersOf,
  currentMatrix,
  footerLine,
  progressLine,
  type TrainingPlan,
  type TrainingState,
} from "./training-state";

/** A training as tables, for readers without scripts; its pictures come when it has ended, so that updates stay small. */
export function liveHtml(plan: TrainingPlan, state: TrainingState): string {
  const best =
    state.ended === null || state.ended.bestEpoch === 0 ? "" : `; best epoch ${state.ended.bestEpoch}`;
  const epochs = tableHtml(
    ["epoch", "train loss", "validation loss", "train accuracy", "validation accuracy"],
    epochsTold(state).map((record) => [
      record.epoch,
      record.trainLoss,
      record.validationLoss,
      percent(record.trainAccuracy),
      percent(record.validationAccuracy),
    ]),
    `Loss and accuracy${best}`,
  );
  return [
    `<div><p><strong>${escapeHtml(titleWithOrigin("Training", plan.synthetic))}</strong><br>`,
    `${escapeHtml(progressLine(plan, state))}</p>`,
    epochs,
    matrixHtml(plan, state),
    state.ended === null ? "" : picturesHtml(plan, state),
    `<p><small>${escapeHtml(footerLine(state))}</small></p></div>`,
  ].join("");
}

/** While it goes on, the last ones: the table is sent with each update, and read by those who see no figure. */
const epochsWhileTraining = 20;

function epochsTold({ history, ended }: TrainingState): TrainingState["history"] {
  return ended === null ? history.slice(-epochsWhileTraining) : history;
}

function matrixHtml(plan: TrainingPlan, state: TrainingState): string {
  if (state.said === null) return "";
  const matrix = currentMatrix(plan, answersOf(plan, state));
  return tableHtml(
    ["true class", ...plan.classes.map((name) => `taken for ${name}`)],
    plan.classes.map((name, i) => [name, ...matrix[i]!]),
    `Validation images after epoch ${state.said.epoch}`,
  );
}

function picturesHtml(plan: TrainingPlan, state: TrainingState): string {
  const answers = answersOf(plan, state);
  const cells = plan.watched.map(({ position, thumbnail, origin }) => {
    const answer = answers[position];
    const truth = plan.classes[plan.validationLabels[position]!]!;
    const said =
      answer === undefined
        ? "not asked"
        : `taken for ${plan.classes[answer.predicted]}, ${percent(answer.probability)}`;
    return (
      `<figure style="margin:0;width:150px"><img src="${escapeHtml(thumbnail)}" alt="${escapeHtml(truth)}" style="width:100%">` +
      `<figcaption><strong>${escapeHtml(truth)}</strong>, ${escapeHtml(origin)}<br>${escapeHtml(said)}</figcaption></figure>`
    );
  });
  return `<div style="display:flex;flex-wrap:wrap;gap:12px;margin-top:1em">${cells.join("")}</div>`;
}
