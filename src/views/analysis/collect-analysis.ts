import type { Dataset } from "../../data/dataset";
import type { Split } from "../../data/split/split";
import type { AnalysisSettings } from "../../experiments/analysis-settings";
import type { RunTriage } from "../../experiments/runs/run-triage";
import type { ValidatedScores } from "../../experiments/summarize-validation";
import type { SanityCheck } from "../../model/explanation/sanity-check";
import { type Attempt, valueOr } from "../../runtime/attempt";
import type { ThresholdMatrices } from "../../scores/triage/threshold-curve";
import { binaryAnswers } from "../../training/runs/binary-answers";
import type { SavedRun } from "../../training/runs/run-log";
import { describeData } from "../dataset/data-card";
import type { Figure } from "../display/figure";
import { positiveNameOf } from "../display/findings";
import type { Analysis, AnalysisFigures, Findings } from "./analysis";
import { calibrationSeries, plotReliability } from "./calibration-figures";
import { describeCrossValidation, plotCrossValidation } from "./cross-validation-figures";
import { describeSanity } from "./explanation-grid";
import type { ExplainedImage } from "./explanations";
import { plotGroupScores } from "./group-displays";
import { plotScoreIntervals } from "./interval-displays";
import { plotLeakage, plotNeighbours } from "./leakage-figures";
import { type FigureOrNote, plotRunPrecisionRecall, plotRunProbabilities, plotRunRoc } from "./run-figures";
import { plotStains } from "./stain-figures";
import { plotRunClasses, plotRunMatrices } from "./threshold-figure";
import { plotWorkload } from "./triage-displays";
import type { PicturedWork } from "./work-list";

/** What the cells of notebook 04 computed. */
export interface AnalysisSources
  extends Pick<
    Findings,
    "scores" | "calibration" | "grouped" | "patientScores" | "crossValidatedTriage" | "leakage" | "stain"
  > {
  run: SavedRun;
  dataset: Dataset;
  split: Split;
  asked: AnalysisSettings;
  thresholds: Attempt<ThresholdMatrices[]>;
  triage: Attempt<RunTriage>;
  work: PicturedWork[];
  crossValidation: Attempt<ValidatedScores>;
  explained: ExplainedImage[];
  /** Refused where the backbone can't be looked into. */
  sanity: Attempt<SanityCheck>;
}

/** Puts together what a report needs, with the figures that the notebook has shown. */
export function collectAnalysis(sources: AnalysisSources): Analysis {
  const { run, dataset, split, asked, explained, work } = sources;
  const sanity = valueOr(sources.sanity, null);
  const findings: Findings = {
    run: run.id,
    created: new Date().toISOString(),
    asked,
    data: describeData(dataset, split),
    scores: sources.scores,
    calibration: sources.calibration,
    grouped: sources.grouped,
    patientScores: sources.patientScores,
    triage: mapAttempt(sources.triage, ({ locked, report }) => ({ locked, report })),
    crossValidation: mapAttempt(sources.crossValidation, (validated) => ({
      ...validated,
      sentence: describeCrossValidation(validated),
    })),
    crossValidatedTriage: sources.crossValidatedTriage,
    leakage: sources.leakage,
    sanity:
      sanity === null
        ? null
        : {
            meanHeadCorrelation: sanity.meanHeadCorrelation,
            meanTopCorrelation: sanity.meanTopCorrelation,
            sentence: describeSanity(sanity),
          },
    stain: sources.stain,
  };
  const total = sources.triage.ok === true ? sources.triage.value.work.length : 0;
  return {
    format: 1,
    findings,
    figures: drawAll(sources, findings),
    explained,
    work: { rows: work, total },
  };
}

function mapAttempt<T, U>(result: Attempt<T>, change: (value: T) => U): Attempt<U> {
  return result.ok === true ? { ok: true, value: change(result.value) } : result;
}

/** The figures of the front part, those that can be drawn. */
function drawAll(sources: AnalysisSources, findings: Findings): AnalysisFigures {
  const { run } = sources;
  const { classes, synthetic } = run.summary;
  const positiveName = positiveNameOf(run.summary);
  const drawn: AnalysisFigures = {};
  const keep = (name: string, view: FigureOrNote) => {
    if ("data" in view) drawn[name] = { data: (view as Figure).data, layout: (view as Figure).layout };
  };
  const when = <T>(result: Attempt<T>, name: string, draw: (value: T) => FigureOrNote) => {
    if (result.ok === true) keep(name, draw(result.value));
  };
  when(findings.scores, "scores", (scores) =>
    plotScoreIntervals(scores, classes.length, { of: "the test part", synthetic }),
  );
  if (binaryAnswers(run) !== run) keep("classes", plotRunClasses(run));
  keep("thresholds", plotRunMatrices(run, sources.thresholds));
  keep("roc", plotRunRoc(run));
  keep("precisionRecall", plotRunPrecisionRecall(run));
  keep("probabilities", plotRunProbabilities(run));
  when(findings.calibration, "reliability", (value) =>
    plotReliability(calibrationSeries(value), positiveName, synthetic),
  );
  for (const { by, groups } of findings.grouped) {
    when(groups, by, (value) => plotGroupScores(value, by, synthetic));
  }
  when(sources.triage, "workload", ({ curve, locked }) =>
    plotWorkload(curve, locked, { positiveName, synthetic }),
  );
  when(findings.crossValidation, "crossValidation", ({ folds, scores }) =>
    plotCrossValidation(folds, scores, synthetic),
  );
  when(findings.leakage, "leakage", (audit) => plotLeakage(audit, synthetic));
  const neighbours = findings.leakage.ok === true ? findings.leakage.value.neighbours : null;
  if (neighbours !== null) keep("neighbours", plotNeighbours(neighbours, synthetic));
  if (findings.stain !== null) {
    when(findings.stain, "stain", (value) =>
      plotStains(value, run.summary.test?.majorityClassAccuracy ?? Number.NaN, synthetic),
    );
  }
  return drawn;
}
