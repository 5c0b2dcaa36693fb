import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { principalComponents } from "../../src/model/features/projection";
import { createRandom } from "../../src/runtime/random";
import { runPython } from "../support/python";

const script = `
import json, sys
import numpy as np
from sklearn.decomposition import PCA
values = np.fromfile(sys.argv[1], dtype="<f4").reshape(-1, int(sys.argv[2])).astype("f8")
pca = PCA(n_components=2, svd_solver="full")
scores = pca.fit_transform(values)
scores *= np.sign(scores[np.abs(scores).argmax(axis=0), range(2)])
print(json.dumps({"scores": scores.ravel().tolist(), "explained": pca.explained_variance_ratio_.tolist()}))
`;

describe("principalComponents beside scikit-learn's PCA", () => {
  it.each([
    { rows: 90, width: 300 },
    { rows: 300, width: 40 },
  ])("agrees on $rows rows of $width ReLU-like values", ({ rows, width }) => {
    const random = createRandom(rows);
    const values = Float32Array.from({ length: rows * width }, (_, i) =>
      Math.max(0, random.normal() + (i % width) / width),
    );
    const folder = mkdtempSync(join(tmpdir(), "projection-"));
    try {
      const file = join(folder, "values.bin");
      writeFileSync(file, Buffer.from(values.buffer));
      const expected = JSON.parse(runPython(script, [file, String(width)])) as {
        scores: number[];
        explained: number[];
      };
      const { scores, explained } = principalComponents(values, width, 2);
      explained.forEach((value, i) => {
        expect(value).toBeCloseTo(expected.explained[i]!, 5);
      });
      const largest = Math.max(...expected.scores.map(Math.abs));
      const difference = Math.max(...expected.scores.map((value, i) => Math.abs(value - scores[i]!)));
      expect(difference / largest).toBeLessThan(0.01);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
