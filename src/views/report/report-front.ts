import { type ArticleComparison, articleAssumptions } from "../../experiments/published/article";
import type { Settings } from "../../runtime/settings";
import type { RunSummary } from "../../training/runs/run-summary";
import type { Analysis, Findings } from "../analysis/analysis";
import { describeCalibration } from "../analysis/calibration-figures";
import { explanationGrid } from "../analysis/explanation-grid";
import { patientScoresTable } from "../analysis/group-displays";
import { intervalsTable } from "../analysis/interval-displays";
import { describeNeighbours } from "../analysis/leakage-figures";
import { describeStains } from "../analysis/stain-figures";
import { describeFoldThresholds, describeTriage, triageTable } from "../analysis/triage-displays";
import { workListDisplay } from "../analysis/work-list";
import { positiveNameOf } from "../display/findings";
import { escapeHtml } from "../display/html";
import { plainTableHtml } from "../display/plain-table";
import { tableHtml } from "../display/table-html";
import { dataCardHtml, headlineHtml, modelCardHtml, splitHtml } from "./report-cards";
import { figureHtml } from "./report-figure";
import type { Section } from "./report-outputs";

const paragraph = (text: string) => `<p>${escapeHtml(text)}</p>`;

/**
 * Makes the report's sections from an analysis; nothing is computed again.
 *
 * @param article - What the preset that reproduces the article has to show; null in any other run.
 */
export function frontSections(
  summary: RunSummary,
  settings: Settings | null,
  analysis: Analysis,
  article: ArticleComparison | null = null,
): Section[] {
  const draw: Draw = (...names) =>
    names.map((name) => {
      const found = analysis.figures[name];
      return found === undefined ? "" : figureHtml(found, `front-${name}`);
    });
  const sections = [
    ...aboutSections(summary, settings, analysis, article),
    ...scoreSections(summary, analysis, draw),
    ...useSections(summary, analysis, draw),
  ];
  return sections.flatMap((one) => one ?? []);
}

/** The figures of these names, as HTML; nothing for one that was not drawn. */
type Draw = (...names: string[]) => string[];

function aboutSections(
  summary: RunSummary,
  settings: Settings | null,
  { findings }: Analysis,
  article: ArticleComparison | null,
) {
  return [
    section("headline", "The results in short", headlineHtml(findings)),
    section("article", "Beside PerceptiLabs' article", articleHtml(article)),
    section("data", "The data set", dataCardHtml(findings.data)),
    section("split", "The split", splitHtml(findings.data)),
    section("model", "The model", modelCardHtml(summary, settings, findings)),
  ];
}

/** How well it does on the test part. */
function scoreSections(summary: RunSummary, { findings }: Analysis, draw: Draw) {
  const patients = patientsHtml(summary, findings);
  return [
    section("scores", "Scores with intervals", scoresHtml(findings), ...draw("scores")),
    section("matrices", "What is taken for what", ...draw("classes", "thresholds")),
    section("curves", "Curves", ...draw("roc", "precisionRecall", "probabilities")),
    section("calibration", "Calibration", calibrationHtml(findings), ...draw("reliability")),
    section("groups", "Where it works", ...draw("subtype", "magnification", "patient"), patients),
  ];
}

/** What that is worth for a second look, for new patients and for other stains, and where it errs. */
function useSections(summary: RunSummary, analysis: Analysis, draw: Draw) {
  const { findings, explained } = analysis;
  const triage = triageHtml(summary, findings);
  const validation = validationHtml(summary, findings);
  const sanity = findings.sanity === null ? [] : [paragraph(findings.sanity.sentence)];
  const grid = explanationGrid(explained, summary).html;
  return [
    section("triage", "Triage", triage, ...draw("workload"), workHtml(summary, analysis)),
    section("leakage", "Leakage", leakageHtml(findings), ...draw("leakage", "neighbours")),
    section("validation", "Cross-validation by patient", validation, ...draw("crossValidation")),
    section("errors", "Errors, and where the evidence lies", grid, ...sanity),
    section("stain", "Stain", stainHtml(findings), ...draw("stain")),
  ];
}

/** Null where there is nothing in it, such as curves without a class that is looked for. */
function section(id: string, title: string, ...parts: string[]): Section | null {
  if (parts.every((part) => part === "")) return null;
  return {
    id,
    title,
    html: `<section id="${id}"><h2>${escapeHtml(title)}</h2>${parts.join("\n")}</section>`,
  };
}

function articleHtml(article: ArticleComparison | null): string {
  if (article === null) return "";
  const { columns, rows, comparability } = article;
  return paragraph(articleAssumptions) + tableHtml(columns, rows) + paragraph(comparability);
}

function scoresHtml({ scores, data, asked }: Findings): string {
  if (scores.ok === false) return paragraph(scores.reason);
  const { synthetic } = data;
  return plainTableHtml(
    intervalsTable(scores.value, { of: "the test part", synthetic, prevalence: asked.prevalence }),
  );
}

function calibrationHtml({ calibration }: Findings): string {
  return paragraph(calibration.ok === true ? describeCalibration(calibration.value) : calibration.reason);
}

function patientsHtml({ classes, synthetic }: RunSummary, { patientScores }: Findings): string {
  if (patientScores.ok === false) return paragraph(patientScores.reason);
  if (patientScores.value.patients.length === 0) return paragraph("No test image's patient is known.");
  return plainTableHtml(patientScoresTable(patientScores.value.patients, classes, synthetic));
}

function triageHtml(summary: RunSummary, { triage }: Findings): string {
  if (triage.ok === false) return paragraph(triage.reason);
  const { locked, report } = triage.value;
  const positiveName = positiveNameOf(summary);
  const of = "the test part";
  const sentence = `${locked.description} ${describeTriage(report, positiveName, of)}`;
  return (
    paragraph(sentence) +
    plainTableHtml(triageTable(report, { of, positiveName, synthetic: summary.synthetic }))
  );
}

function workHtml(summary: RunSummary, { work }: Analysis): string {
  return work.rows.length === 0 ? "" : workListDisplay(summary, work.rows, work.total).html;
}

function leakageHtml({ leakage }: Findings): string {
  if (leakage.ok === false) return paragraph(leakage.reason);
  const { conclusion, neighbours } = leakage.value;
  return paragraph(conclusion) + (neighbours === null ? "" : paragraph(describeNeighbours(neighbours)));
}

function validationHtml(summary: RunSummary, findings: Findings): string {
  const { crossValidation, crossValidatedTriage, asked } = findings;
  if (crossValidation.ok === false) return paragraph(crossValidation.reason);
  const { synthetic } = summary;
  const { scores, sentence } = crossValidation.value;
  const of = "cross-validation";
  const table = plainTableHtml(intervalsTable(scores, { of, synthetic, prevalence: asked.prevalence }));
  if (crossValidatedTriage.ok === false) {
    return paragraph(sentence) + table + paragraph(crossValidatedTriage.reason);
  }
  const triage = crossValidatedTriage.value;
  const positiveName = positiveNameOf(summary);
  return (
    paragraph(sentence) +
    table +
    paragraph(describeFoldThresholds(triage)) +
    plainTableHtml(triageTable(triage.report, { of, positiveName, synthetic }))
  );
}

function stainHtml({ stain }: Findings): string {
  if (stain === null) return paragraph("Not compared in this analysis.");
  return paragraph(stain.ok === true ? describeStains(stain.value) : stain.reason);
}
