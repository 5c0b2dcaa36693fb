import { beforeAll, describe, expect, it } from "vitest";
import { createRandom } from "../../src/runtime/random";
import { confusionMatrix } from "../../src/scores/confusion-matrix";
import { averagePrecision, rocAuc, rocCurve } from "../../src/scores/curves";
import {
  accuracy,
  balancedAccuracy,
  f1Score,
  matthewsCorrelation,
  negativePredictiveValue,
  precision,
  sensitivity,
  specificity,
} from "../../src/scores/metrics";
import { runPython } from "../support/python";
import { type Answer, attempt, expectSame } from "../support/runs/answers";

interface Case {
  name: string;
  /** NaN travels as null: JSON has no NaN. */
  trueLabels: (number | null)[];
  predictedLabels: (number | null)[];
  scores: (number | null)[];
  classCount: number;
}

const program = `
import json, sys, warnings
import numpy as np
from sklearn import metrics as m
warnings.simplefilter("ignore")
number = lambda values: np.array([np.nan if v is None else v for v in values])
def plain(value):
    if isinstance(value, (list, tuple, np.ndarray)): return [plain(v) for v in value]
    value = float(value)
    return str(value) if not np.isfinite(value) else value
def attempt(compute):
    try: return plain(compute())
    except (ValueError, IndexError): return "refused"
# Where scikit-learn says 0 and we that it is unknown.
known = lambda value, defined: value if defined else np.nan
def answers(case):
    t, p, s = number(case["trueLabels"]), number(case["predictedLabels"]), number(case["scores"])
    k = case["classCount"]
    one = dict(zero_division=np.nan, average=None)
    pick = lambda f, c: lambda: f(t, p, labels=[c], **one)[0]
    swap = lambda f: lambda: f(t != 1, p != 1, labels=[True], **one)[0]
    # Comparing with 1 would hide the NaN from scikit-learn's own check.
    if np.isnan(t).any() or np.isnan(p).any():
        swap = lambda f: lambda: f(t, p, labels=[1], **one)[0]
    return {
        "confusionMatrix": attempt(lambda: m.confusion_matrix(t, p, labels=list(range(k)))),
        "accuracy": attempt(lambda: m.accuracy_score(t, p)),
        "balancedAccuracy": attempt(lambda: m.balanced_accuracy_score(t, p)),
        "matthewsCorrelation": attempt(lambda: known(m.matthews_corrcoef(t, p), len(set(t)) > 1)),
        "sensitivity": attempt(pick(m.recall_score, 1)),
        "precision": attempt(pick(m.precision_score, 1)),
        "f1Score": attempt(pick(m.f1_score, 1)),
        "specificity": attempt(swap(m.recall_score)),
        "negativePredictiveValue": attempt(swap(m.precision_score)),
        "rocAuc": attempt(lambda: m.roc_auc_score(t == 1, s)),
        "rocCurve": attempt(lambda: m.roc_curve(t == 1, s)),
        "fullRocCurve": attempt(lambda: m.roc_curve(t == 1, s, drop_intermediate=False)),
    }
print(json.dumps([answers(case) for case in json.load(sys.stdin)]))
`;

function randomCase(seed: number): Case {
  const random = createRandom(seed);
  const classCount = 2 + random.integer(3);
  const count = 1 + random.integer(60);
  const levels = [2, 5, 1000][random.integer(3)] ?? 2;
  const draw = (bound: number) => Array.from({ length: count }, () => random.integer(bound));
  return {
    name: `random ${seed}: ${count} samples, ${classCount} classes, at most ${levels} distinct scores`,
    trueLabels: draw(classCount),
    predictedLabels: draw(classCount),
    scores: draw(levels).map((level) => level / levels),
    classCount,
  };
}

function binary(
  name: string,
  trueLabels: (number | null)[],
  predicted: (number | null)[],
  scores: Case["scores"],
) {
  return { name, trueLabels, predictedLabels: predicted, scores, classCount: 2 };
}

const cases: Case[] = [
  ...Array.from({ length: 60 }, (_, seed) => randomCase(seed)),
  binary("only positives", [1, 1, 1], [1, 0, 1], [0.9, 0.2, 0.8]),
  binary("only negatives", [0, 0, 0], [0, 0, 1], [0.1, 0.2, 0.8]),
  binary("only negatives, all found", [0, 0], [0, 0], [0.1, 0.2]),
  binary("one sample", [1], [1], [0.5]),
  binary("all scores tied", [0, 1, 0, 1], [1, 1, 1, 1], [0.5, 0.5, 0.5, 0.5]),
  binary("perfect", [0, 0, 1, 1], [0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9]),
  binary("exactly wrong", [0, 0, 1, 1], [1, 1, 0, 0], [0.9, 0.8, 0.2, 0.1]),
  binary("empty", [], [], []),
  binary("lengths differ", [0, 1], [0], [0.5]),
  binary("NaN among the true labels", [0, null, 1], [0, 1, 1], [0.1, 0.5, 0.9]),
  binary("NaN among the predicted labels", [0, 1, 1], [0, null, 1], [0.1, 0.5, 0.9]),
];

const scoresOnly: Case[] = [binary("NaN among the scores", [0, 1, 1], [0, 1, 1], [0.1, null, 0.9])];

function curve(positive: boolean[], scores: number[], dropIntermediate: boolean): number[][] {
  const roc = rocCurve(positive, scores, { dropIntermediate });
  return [roc.falsePositiveRates, roc.truePositiveRates, roc.thresholds];
}

function ourAnswers(item: Case): Record<string, Answer> {
  const numbers = (values: (number | null)[]) => values.map((value) => value ?? Number.NaN);
  const t = numbers(item.trueLabels);
  const p = numbers(item.predictedLabels);
  const s = numbers(item.scores);
  const positive = t.map((label) => label === 1);
  return {
    confusionMatrix: attempt(() => confusionMatrix(t, p, item.classCount)),
    accuracy: attempt(() => accuracy(t, p)),
    balancedAccuracy: attempt(() => balancedAccuracy(t, p)),
    matthewsCorrelation: attempt(() => matthewsCorrelation(t, p)),
    sensitivity: attempt(() => sensitivity(t, p, 1)),
    precision: attempt(() => precision(t, p, 1)),
    f1Score: attempt(() => f1Score(t, p, 1)),
    specificity: attempt(() => specificity(t, p, 1)),
    negativePredictiveValue: attempt(() => negativePredictiveValue(t, p, 1)),
    rocAuc: attempt(() => rocAuc(positive, s)),
    rocCurve: attempt(() => curve(positive, s, true)),
    fullRocCurve: attempt(() => curve(positive, s, false)),
  };
}

const oneClass = `
import json, warnings
from sklearn import metrics as m
warnings.simplefilter("ignore")
none, some = [0, 0, 0], [0, 1, 0]
print(json.dumps({
    "rocAuc": str(m.roc_auc_score(none, [0.1, 0.9, 0.5])),
    "averagePrecision": m.average_precision_score(none, [0.1, 0.9, 0.5]),
    "matthewsCorrelation": m.matthews_corrcoef(none, some),
    "answersOfOneClass": m.matthews_corrcoef(some, none),
    "sensitivity": m.recall_score(none, some),
    "precision": m.precision_score(some, none),
    "f1": m.f1_score(none, none),
}))
`;

describe("what is undefined", () => {
  it("is NaN here, and these numbers in scikit-learn, as the docstrings say", () => {
    expect(JSON.parse(runPython(oneClass))).toEqual({
      rocAuc: "nan",
      averagePrecision: 0,
      matthewsCorrelation: 0,
      answersOfOneClass: 0,
      sensitivity: 0,
      precision: 0,
      f1: 0,
    });
    const [none, some, scores] = [
      [0, 0, 0],
      [0, 1, 0],
      [0.1, 0.9, 0.5],
    ];
    expect(rocAuc(none, scores)).toBeNaN();
    expect(averagePrecision(none, scores)).toBeNaN();
    expect(matthewsCorrelation(none, some)).toBeNaN();
    expect(matthewsCorrelation(some, none)).toBe(0);
    expect(sensitivity(none, some, 1)).toBeNaN();
    expect(precision(some, none, 1)).toBeNaN();
    expect(f1Score(none, none, 1)).toBeNaN();
  });
});

describe("metrics and curves agree with scikit-learn", () => {
  const all = [...cases, ...scoresOnly];
  let theirs: Record<string, Answer>[] = [];
  beforeAll(() => {
    theirs = JSON.parse(runPython(program, [], JSON.stringify(all)));
  });

  it.each(all.map((item, i) => [item.name, i] as const))("%s", (_, i) => {
    const ours = ourAnswers(all[i]!);
    const reference = theirs[i]!;
    expect(Object.keys(reference)).toEqual(Object.keys(ours));
    for (const [metric, value] of Object.entries(ours)) expectSame(value, reference[metric]!, metric);
  });
});
