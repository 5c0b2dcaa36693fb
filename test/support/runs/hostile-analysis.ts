import { triageRun } from "../../../src/experiments/runs/run-triage";
import { resolveSettings } from "../../../src/runtime/settings";
import { calibrateTest } from "../../../src/scores/calibrated-test";
import { scoreGroups } from "../../../src/scores/group-scores";
import { scoreWithIntervals } from "../../../src/scores/intervals/score-intervals";
import { recognitionRates } from "../../../src/scores/patient-scores";
import { thresholdCurve } from "../../../src/scores/triage/threshold-curve";
import type { Analysis } from "../../../src/views/analysis/analysis";
import { collectAnalysis } from "../../../src/views/analysis/collect-analysis";
import type { ExplainedImage } from "../../../src/views/analysis/explanations";
import { exampleDataset, exampleRecord, hostileName } from "../data/example-dataset";
import { exampleAsked, manyPredictions } from "./example-analysis";
import { exampleSummary } from "./example-summary";

const dot = "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==";
const refused = { ok: false as const, reason: `Refused because of ${hostileName}.` };

/** A whole analysis of synthetic images whose every name is hostile; what trains heads was refused. */
export function hostileAnalysis(): Analysis {
  const predictions = manyPredictions((i) => `${hostileName}${i}`);
  const test = predictions.filter(({ split }) => split === "test");
  const records = predictions.map(({ file, patient, label }) =>
    exampleRecord({ file, patient, label, subtype: patient }),
  );
  const dataset = exampleDataset({ records, name: hostileName, synthetic: true, warnings: [hostileName] });
  const rule = { positiveClass: 1, threshold: 0.5 };
  const bootstrap = { resamples: 100 };
  const split = {
    by: "patient" as const,
    seed: 1,
    train: [],
    validation: records.flatMap((_, row) => (predictions[row]!.split === "validation" ? [row] : [])),
    test: records.flatMap((_, row) => (predictions[row]!.split === "test" ? [row] : [])),
  };
  const triage = triageRun({
    predictions,
    positiveClass: 1,
    targetSensitivity: 0.9,
    triageLevel: "patient",
    bootstrap,
  });
  const explained: ExplainedImage = {
    file: hostileName,
    outcome: "false alarm",
    trueClass: 0,
    answer: 1,
    confidence: 0.9,
    patient: hostileName,
    subtype: hostileName,
    magnification: 40,
    quality: null,
    qualityLines: [hostileName],
    picture: dot,
    overlay: `"><script>document.title='attacked'</script>`,
  };
  return collectAnalysis({
    run: {
      id: "run-1",
      folder: "/nowhere",
      settings: resolveSettings({}),
      history: [],
      predictions,
      summary: exampleSummary({ dataset: hostileName, synthetic: true }),
      splitFile: "",
      classifierFolder: "",
    },
    dataset,
    split,
    asked: exampleAsked,
    scores: { ok: true, value: scoreWithIntervals(test, rule, bootstrap) },
    thresholds: { ok: true, value: thresholdCurve(test, 1) },
    calibration: { ok: true, value: calibrateTest(predictions, rule) },
    grouped: [{ by: "subtype", groups: { ok: true, value: scoreGroups(dataset, test, "subtype", rule) } }],
    patientScores: { ok: true, value: recognitionRates(test) },
    triage: { ok: true, value: triage },
    work: triage.work.slice(0, 3).map((row) => ({ ...row, truth: hostileName, picture: dot })),
    crossValidation: refused,
    crossValidatedTriage: refused,
    leakage: refused,
    explained: [explained],
    sanity: { ok: false, reason: "There was no image to explain." },
    stain: null,
  });
}
