import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { projectRoot } from "../../src/runtime/paths";
import { resolveSettings } from "../../src/runtime/settings";
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

  /** What Tab offers where `|` stands, and, as JupyterLab's panel beside the list asks, what each of it is. */
  async function offersAt(marked: string) {
    const position = marked.indexOf("|");
    const code = marked.replace("|", "");
    const { matches, cursor_start, metadata } = await kernel.complete(code, position);
    const before = code.slice(0, cursor_start);
    const documentation = async (name: string) => (await documentationAt(before + name)).text;
    return { matches, types: metadata._jupyter_types_experimental, documentation };
  }

  it("offers all settings in a settings object, each with its sentence and its range", async () => {
    const names = Object.keys(resolveSettings());
    const { matches, types, documentation } = await offersAt("const settings = resolveSettings({ | })");
    expect([...matches].sort()).toEqual([...names].sort());
    expect(types.map(({ text, type }) => [text, type])).toEqual(matches.map((name) => [name, "property"]));
    for (const name of matches) {
      expect(await documentation(name), name).toMatch(
        new RegExp(`^\\(property\\) ${name}\\?: [^]+?\\n\\n[A-Z"].+`),
      );
    }
    expect(await documentation("stain")).toMatch(/^\(property\) stain\?: "as-is" \| "normalised"\n/);
    expect(await documentation("patience")).toContain("before training stops, in [1, 10000].");
  });

  it.each([
    ["resolveSettings({\n  data: null, // a folder\n  ep|\n  seed: 42,\n});", ["epochs"]],
    ["resolveSettings({ epochs: 3, | })", Object.keys(resolveSettings()).filter((name) => name !== "epochs")],
    ["resolveSettings({ fineTune: { ep|", ["epochs"]],
    ['resolveSettings({ stain: "|" })', ["as-is", "normalised"]],
    ["evaluation.crossValidate({ fol| })", ["folds", "onFold"]],
  ])("offers what fits, and nothing else, in %s", async (marked, expected) => {
    const { matches } = await offersAt(marked);
    expect([...matches].sort()).toEqual([...expected].sort());
  });

  it("puts what a call needs before what it can do without", async () => {
    const { matches, documentation } = await offersAt("await trainHead({ | })");
    const needed = ["classCount", "features", "labels", "settings", "split"];
    expect(matches.slice(0, needed.length)).toEqual(needed);
    expect(await documentation("split")).toContain("Records to learn from and to validate with");
  });
});

describe("Tab in a notebook whose imports were not run", () => {
  const notebook = join(projectRoot(), "notebooks", "03-train-model.ipynb");
  let kernel: KernelSession;

  beforeAll(async () => {
    kernel = await startKernel(join(projectRoot(), "notebooks"), { JPY_SESSION_NAME: notebook });
  });
  afterAll(() => kernel.close());

  it("offers what it would offer afterwards, and Shift-Tab tells of it", async () => {
    const code = "const settings = resolveSettings({\n  ep";
    expect(await kernel.complete(code, code.length)).toMatchObject({
      matches: ["epochs"],
      cursor_start: code.length - 2,
      cursor_end: code.length,
    });
    const { data } = await kernel.inspect(`${code}ochs`, code.length + 4);
    expect(data["text/plain"]).toMatch(/^\(property\) epochs\?: number\n\nAt most this many passes/);
    expect((await kernel.execute("resolveSettings")).reply.evalue).toContain("has not run");
  });
});
