import { beforeAll, describe, expect, it } from "vitest";
import { dealGroups } from "../../src/experiments/patient-folds";
import { applyTemperature } from "../../src/model/classifier/temperature";
import { quantileOf } from "../../src/runtime/percentile";
import { createRandom } from "../../src/runtime/random";
import { fitTemperature } from "../../src/scores/calibration";
import { delongTest } from "../../src/scores/compare-runs";
import { exactInterval } from "../../src/scores/intervals/exact-interval";
import { normalCdf, normalQuantile } from "../../src/scores/intervals/normal-distribution";
import { runPython } from "../support/python";

// DeLong's test from the paper's double sum, without ranks; the fold dealer is scikit-learn's own.
const program = `
import json, sys
import numpy as np
from scipy import optimize, stats
from sklearn.model_selection import StratifiedGroupKFold
case = json.load(sys.stdin)
def delong(positive, first, second):
    positive = np.array(positive, dtype=bool)
    v10, v01 = [], []
    for scores in (np.array(first), np.array(second)):
        x, y = scores[positive], scores[~positive]
        wins = (x[:, None] > y[None, :]) + 0.5 * (x[:, None] == y[None, :])
        v10.append(wins.mean(axis=1)); v01.append(wins.mean(axis=0))
    cov = np.cov(v10) / len(v10[0]) + np.cov(v01) / len(v01[0])
    aucs = [v.mean() for v in v10]
    variance = cov[0, 0] + cov[1, 1] - 2 * cov[0, 1]
    z = (aucs[1] - aucs[0]) / np.sqrt(variance)
    return [aucs[0], aucs[1], float(np.sqrt(variance)), float(z), float(2 * stats.norm.sf(abs(z)))]
def temperature(labels, logits):
    z = np.array(logits); y = np.array(labels)
    def loss(log_t):
        s = z / np.exp(log_t)
        return float((np.log(np.exp(s - s.max(1, keepdims=True)).sum(1)) + s.max(1) - s[np.arange(len(y)), y]).mean())
    best = optimize.minimize_scalar(loss, bounds=(np.log(0.05), np.log(20)), method="bounded", options={"xatol": 1e-10})
    return [float(np.exp(best.x)), float(best.fun)]
def folds(counts, k):
    y, g = [], []
    for i, group in enumerate(counts):
        for c, n in enumerate(group): y += [c] * n; g += [i] * n
    dealt = [0] * len(counts)
    for f, (_, test) in enumerate(StratifiedGroupKFold(k).split(np.zeros(len(y)), y, g)):
        for row in test: dealt[g[row]] = f
    return dealt
def exact(s, n, level):
    r = stats.binomtest(s, n).proportion_ci(level, method="exact")
    return [r.low, r.high]
print(json.dumps({
    "delong": [delong(*item) for item in case["delong"]],
    "temperature": [temperature(*item) for item in case["temperature"]],
    "folds": [folds(*item) for item in case["folds"]],
    "exact": [exact(*item) for item in case["exact"]],
    "cdf": [float(stats.norm.cdf(z)) for z in case["cdf"]],
    "ppf": [float(stats.norm.ppf(p)) for p in case["ppf"]],
    "quantile": [float(np.quantile(*item)) for item in case["quantile"]],
}))
`;

const random = createRandom(17);

/** Two readers of the same samples; rounded, so that there are ties. */
function readers(count: number, digits: number): [boolean[], number[], number[]] {
  const positive = Array.from({ length: count }, (_, i) => i % 3 === 0);
  const score = (skill: number) =>
    positive.map((ill) => Number((random.normal() + (ill ? skill : 0)).toFixed(digits)));
  return [positive, score(1), score(0.4)];
}

function logits(count: number, classCount: number, sharpness: number): [number[], number[][]] {
  const rows = Array.from({ length: count }, () =>
    Array.from({ length: classCount }, () => sharpness * random.normal()),
  );
  const labels = rows.map((row) => {
    // Three quarters as the logits say, the rest at random: there is something to soften.
    if (random.next() < 0.25) return random.integer(classCount);
    return row.indexOf(Math.max(...row));
  });
  return [labels, rows];
}

const groupsOf = (count: number, pure: boolean) =>
  Array.from({ length: count }, (_, i) =>
    pure
      ? [i % 3 === 0 ? 1 + random.integer(9) : 0, i % 3 === 0 ? 0 : 1 + random.integer(9)]
      : [1 + random.integer(20), 1 + random.integer(12), 1 + random.integer(5)],
  );

const input = {
  delong: [readers(40, 1), readers(300, 3), readers(15, 0)],
  temperature: [logits(200, 2, 3), logits(80, 2, 0.4), logits(300, 4, 5)],
  folds: [
    [groupsOf(25, true), 5],
    [groupsOf(60, true), 4],
    [groupsOf(40, false), 5],
    [groupsOf(120, false), 10],
  ] as [number[][], number][],
  exact: [
    [0, 5, 0.95],
    [5, 5, 0.95],
    [3, 5, 0.95],
    [16, 25, 0.9],
    [1, 200, 0.99],
    [612, 900, 0.95],
  ] as [number, number, number][],
  cdf: [-38, -8, -5, -3.0001, -2.9999, -1, -1e-9, 0, 0.3, 1.96, 2.99, 3, 3.01, 6, 9],
  ppf: [1e-12, 0.025, 0.3, 0.5, 0.84, 0.975, 0.9999],
  quantile: [
    [[1, 2, 4, 8, 16], 0.025],
    [[1, 2, 4, 8, 16], 0.975],
    [[3], 0.5],
    [[1, 5], 1],
  ] as [number[], number][],
};

type Expected = { [K in keyof typeof input]: K extends "cdf" | "ppf" | "quantile" ? number[] : number[][] };

function expectClose(found: number, expected: number, tolerance: number) {
  expect(Math.abs(found - expected), `${found} here, ${expected} there`).toBeLessThanOrEqual(
    tolerance * Math.max(1e-300, Math.abs(expected)),
  );
}

const softmax = (row: number[]) => {
  const powers = row.map((value) => Math.exp(value - Math.max(...row)));
  return powers.map((power) => power / powers.reduce((a, b) => a + b, 0));
};

describe("statistics agree with scipy, numpy and scikit-learn", () => {
  let theirs: Expected;
  beforeAll(() => {
    theirs = JSON.parse(runPython(program, [], JSON.stringify(input)));
  });

  it("DeLong's test, with the definition's double sum", () => {
    input.delong.forEach(([positive, first, second], i) => {
      const found = delongTest(positive, first, second);
      const ours = [found.firstAuc, found.secondAuc, found.standardError, found.z, found.pValue];
      ours.forEach((value, j) => {
        expectClose(value, theirs.delong[i]![j]!, 1e-9);
      });
    });
  });

  it("the temperature, with scipy's minimiser on logits", () => {
    input.temperature.forEach(([labels, rows], i) => {
      const fit = fitTemperature(
        labels.map((label, row) => ({ label, probabilities: softmax(rows[row]!), split: "validation" })),
      );
      expectClose(fit.temperature, theirs.temperature[i]![0]!, 1e-6);
      expectClose(fit.lossAfter, theirs.temperature[i]![1]!, 1e-12);
    });
  });

  it("folds, with StratifiedGroupKFold", () => {
    input.folds.forEach(([counts, foldCount], i) => {
      expect(dealGroups(counts, foldCount)).toEqual(theirs.folds[i]);
    });
  });

  it("exact intervals, with Clopper and Pearson's in scipy", () => {
    input.exact.forEach(([successes, trials, level], i) => {
      const { low, high } = exactInterval(successes, trials, level);
      expect(Math.abs(low - theirs.exact[i]![0]!)).toBeLessThan(1e-11);
      expect(Math.abs(high - theirs.exact[i]![1]!)).toBeLessThan(1e-11);
    });
  });

  it("the normal distribution, far into its tails", () => {
    input.cdf.forEach((z, i) => {
      expectClose(normalCdf(z), theirs.cdf[i]!, 1e-12);
    });
    input.ppf.forEach((p, i) => {
      expect(Math.abs(normalQuantile(p) - theirs.ppf[i]!)).toBeLessThan(1e-9);
    });
  });

  it("quantiles, with numpy", () => {
    input.quantile.forEach(([values, share], i) => {
      expectClose(quantileOf(values, share), theirs.quantile[i]!, 1e-15);
    });
  });

  it("a temperature on probabilities is one on logits", () => {
    const row = [2.5, -1, 0.25];
    applyTemperature(softmax(row), 1.7).forEach((value, i) => {
      expectClose(value, softmax(row.map((one) => one / 1.7))[i]!, 1e-14);
    });
  });
});
