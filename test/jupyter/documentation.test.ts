import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { projectRoot } from "../../src/runtime/paths";
import { type KernelSession, startKernel } from "../support/kernel/kernel-session";

describe("Tab and Shift-Tab on what src exports", () => {
  let kernel: KernelSession;

  beforeAll(async () => {
    kernel = await startKernel(join(projectRoot(), "notebooks"));
    const imports = await kernel.execute(
      [
        `import { confusionMatrix } from "./src/scores/confusion-matrix";`,
        `import * as evaluation from "./src/experiments/evaluation-door";`,
        `import { resolveSettings } from "./src/runtime/settings";`,
        `import { trainHead } from "./src/training/head/train";`,
      ].join("\n"),
    );
    expect(imports.reply.status).toBe("ok");
  });
  afterAll(() => kernel.close());

  async function documentationAt(code: string, position = code.length) {
    const { found, data } = await kernel.inspect(code, position);
    expect(found).toBe(true);
    return { text: data["text/plain"]!, markdown: data["text/markdown"]! };
  }

  it("shows signature, sentence, parameters, result, errors and example, each under its title", async () => {
    const { text, markdown } = await documentationAt("confusionMatrix");
    expect(text).toMatch(
      /^confusionMatrix\(trueLabels: ArrayLike<number>, predictedLabels: [^\n]+\): number\[\]\[\]\n\nCounts predictions for each true class\.\n/,
    );
    expect(text).toContain("\n\nParameters:\n  trueLabels - Shape [n]");
    expect(text).toContain("\n  classCount - At least 2.\n");
    expect(text).toContain("\n\nReturns:\n  Shape [classCount, classCount]");
    expect(text).toContain("\n\nThrows:\n  RangeError if ");
    expect(text).toMatch(/\n\nExample:\n {2}confusionMatrix\(\[0, 0, 1, 1\], .+$/);

    expect(markdown).toMatch(/^```typescript\nconfusionMatrix\(trueLabels: /);
    expect(markdown).toContain("\n- `classCount`: At least 2.\n");
    expect(markdown).toMatch(/\*\*Example\*\*\n\n```typescript\nconfusionMatrix\(\[0, 0, 1, 1\][^\n]+\n```$/);
  });

  it("shows the function's docstring also between the brackets of its call", async () => {
    const expected = await documentationAt("confusionMatrix");
    for (const code of ["confusionMatrix(", "confusionMatrix([0], [1], 2)"]) {
      expect(await documentationAt(code, "confusionMatrix(".length)).toEqual(expected);
    }
    const nested = "confusionMatrix([0, 1].map((label) => label), ";
    expect(await documentationAt(nested)).toEqual(expected);
    expect((await documentationAt("await trainHead({ fea")).text).toContain(
      "Trains a head on cached features",
    );
  });

  it("knows functions of a namespace, and the fields of an options object", async () => {
    const { text } = await documentationAt("evaluation.crossValidate");
    expect(text).toContain("Cross-validates a head by patient");
    expect(text).toContain("Example:\n  const { predictions } = await crossValidate(");
    const settings = "resolveSettings({ learningRate: 1 })";
    const setting = (await documentationAt(settings, settings.indexOf("Rate"))).text;
    expect(setting).toMatch(/learningRate\??: number/);
    expect(setting).toContain("Adam's step size, in (0, 10].");
  });

  it("finds nothing where nothing is, and does not stumble over a position behind the end", async () => {
    const beside = "confusionMatrix([0], [1], 2) ";
    expect(await kernel.inspect(beside, beside.length)).toMatchObject({ found: false, data: {} });
    expect(await kernel.inspect("   ", 1)).toMatchObject({ found: false, data: {} });
    expect(await documentationAt("confusionMatrix", 40)).toEqual(await documentationAt("confusionMatrix"));
  });

  it("completes exported names, and the names of options", async () => {
    expect((await kernel.complete("confusionM", 10)).matches).toEqual(["confusionMatrix"]);
    expect((await kernel.complete("evaluation.crossV", 17)).matches).toContain("crossValidate");
    expect((await kernel.complete("resolveSettings({ learn", 23)).matches).toEqual(["learningRate"]);
  });
});
