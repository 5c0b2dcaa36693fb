import { beforeAll, describe, expect, it } from "vitest";
import { createRandom } from "../../src/runtime/random";
import { averagePrecision, precisionRecallCurve } from "../../src/scores/curves";
import { brierScore, computeReliability, negativeLogLikelihood } from "../../src/scores/probability-scores";
import { runPython } from "../support/python";
import { type Answer, attempt, expectSame } from "../support/runs/answers";

interface Case {
  name: string;
  labels: number[];
  /** NaN travels as null: JSON has no NaN. */
  probabilities: (number | null)[][];
  bins: number;
}

// scikit-learn has no expected calibration error; this one is written with numpy from its definition.
const program = `
import json, sys, warnings
import numpy as np
from sklearn import metrics as m
warnings.simplefilter("ignore")
def plain(value):
    if isinstance(value, (list, tuple, np.ndarray)): return [plain(v) for v in value]
    value = float(value)
    return str(value) if not np.isfinite(value) else value
def attempt(compute):
    try: return plain(compute())
    except (ValueError, IndexError): return "refused"
def reliability(confidence, observed, bins):
    edges = np.arange(bins + 1) / bins
    index = np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, bins - 1)
    total = len(confidence)
    gaps = [abs(confidence[index == b].mean() - observed[index == b].mean()) for b in range(bins) if (index == b).any()]
    sizes = [(index == b).sum() for b in range(bins) if (index == b).any()]
    return [sum(g * s for g, s in zip(gaps, sizes)) / total, max(gaps), confidence.mean() - observed.mean(), *np.bincount(index, minlength=bins)]
# Where scikit-learn says 0 and we that it is unknown.
known = lambda value, defined: value if defined else np.nan
def answers(case):
    y = np.array(case["labels"], dtype=int)
    p = np.array([[np.nan if v is None else v for v in row] for row in case["probabilities"]], dtype=float)
    k = p.shape[1] if p.ndim == 2 else 2
    score = p[:, 1] if p.ndim == 2 else p
    labels = list(range(k))
    def checked(compute):
        # What our functions refuse for the whole, numpy would carry through as NaN.
        if len(y) == 0 or len(y) != len(p) or np.isnan(p).any() or (abs(p.sum(axis=1) - 1) > 1e-4).any(): raise ValueError
        return compute()
    one_hot = lambda: np.eye(k)[y]
    brier = lambda: m.brier_score_loss(y == 1, score) if k == 2 else ((p - one_hot()) ** 2).sum(axis=1).mean()
    native = lambda: m.brier_score_loss(y, p, labels=labels)
    return {
        "brierScore": attempt(lambda: checked(brier)),
        "brierAgain": attempt(lambda: checked(native)),
        "logLoss": attempt(lambda: checked(lambda: m.log_loss(y, p, labels=labels))),
        "precisionRecall": attempt(lambda: m.precision_recall_curve(y == 1, score)),
        "averagePrecision": attempt(lambda: known(m.average_precision_score(y == 1, score), (y == 1).any())),
        "reliability": attempt(lambda: checked(lambda: reliability(p.max(axis=1), p.argmax(axis=1) == y, case["bins"]))),
        "ofPositive": attempt(lambda: checked(lambda: reliability(score, y == 1, case["bins"]))),
    }
print(json.dumps([answers(case) for case in json.load(sys.stdin)]))
`;

function randomCase(seed: number): Case {
  const random = createRandom(seed);
  const classCount = 2 + random.integer(3);
  const count = 1 + random.integer(80);
  // Sixteenths are exact, so that ties and bounds of bins are hit.
  const levels = [4, 16, 1000][random.integer(3)]!;
  const row = () => {
    if (classCount === 2) {
      const share = (1 + random.integer(levels - 1)) / levels;
      return [1 - share, share];
    }
    const parts = Array.from({ length: classCount }, () => 1 + random.integer(levels));
    const total = parts.reduce((a, b) => a + b, 0);
    return parts.map((part) => part / total);
  };
  return {
    name: `random ${seed}: ${count} samples, ${classCount} classes`,
    labels: Array.from({ length: count }, () => random.integer(classCount)),
    probabilities: Array.from({ length: count }, row),
    bins: seed % 2 === 0 ? 10 : 15,
  };
}

const binary = (name: string, labels: number[], positive: (number | null)[]): Case => ({
  name,
  labels,
  probabilities: positive.map((p) => [p === null ? null : 1 - p, p]),
  bins: 10,
});

const cases: Case[] = [
  ...Array.from({ length: 50 }, (_, seed) => randomCase(seed)),
  binary("only positives", [1, 1, 1], [0.9, 0.2, 0.8]),
  binary("only negatives", [0, 0, 0], [0.1, 0.2, 0.8]),
  binary("one sample", [1], [0.5]),
  binary("all tied", [0, 1, 0, 1], [0.5, 0.5, 0.5, 0.5]),
  binary("bounds of bins", [0, 1, 0, 1, 1], [0.1, 0.2, 0.3, 0.6, 0.7]),
  binary("certain and right", [0, 1], [0, 1]),
  binary("empty", [], []),
  binary("NaN", [0, 1, 1], [0.5, null, 0.5]),
  binary("lengths differ", [0, 1], [0.5]),
];

function summary(labels: number[], rows: number[][], bins: number, positiveClass: number | null) {
  const found = computeReliability(labels, rows, { binCount: bins, positiveClass });
  const { expectedCalibrationError, maximumCalibrationError, overconfidence } = found;
  return [
    expectedCalibrationError,
    maximumCalibrationError,
    overconfidence,
    ...found.bins.map(({ count }) => count),
  ];
}

function ourAnswers({ labels, probabilities, bins }: Case): Record<string, Answer> {
  const rows = probabilities.map((row) => row.map((value) => value ?? Number.NaN));
  const positive = labels.map((label) => label === 1);
  const scores = rows.map((row) => row[1]!);
  return {
    brierScore: attempt(() => brierScore(labels, rows)),
    brierAgain: attempt(() => brierScore(labels, rows)),
    logLoss: attempt(() => negativeLogLikelihood(labels, rows)),
    precisionRecall: attempt(() => {
      const { precisions, recalls, thresholds } = precisionRecallCurve(positive, scores);
      return [precisions, recalls, thresholds];
    }),
    averagePrecision: attempt(() => averagePrecision(positive, scores)),
    reliability: attempt(() => summary(labels, rows, bins, null)),
    ofPositive: attempt(() => summary(labels, rows, bins, 1)),
  };
}

describe("scores of probabilities agree with scikit-learn and numpy", () => {
  let theirs: Record<string, Answer>[] = [];
  beforeAll(() => {
    theirs = JSON.parse(runPython(program, [], JSON.stringify(cases)));
  });

  it.each(cases.map((item, i) => [item.name, i] as const))("%s", (_, i) => {
    const ours = ourAnswers(cases[i]!);
    expect(Object.keys(theirs[i]!)).toEqual(Object.keys(ours));
    for (const [name, value] of Object.entries(ours)) expectSame(value, theirs[i]![name]!, name);
  });
});
