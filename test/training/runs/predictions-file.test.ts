import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readPredictions, writePredictions } from "../../../src/training/runs/predictions-file";
import { hostileName } from "../../support/data/example-dataset";
import { examplePrediction } from "../../support/runs/example-run";
import { temporaryFolder } from "../../support/temporary-folder";

const path = join(temporaryFolder("predictions"), "predictions.csv");
const breakhis = { classes: ["benign", "malignant"], positiveClass: 1 };

describe("predictions.csv", () => {
  it("has the columns that others rely on", async () => {
    await writePredictions(path, [examplePrediction("14-22549", 1, 0.75, { file: "a.png" })], breakhis);
    expect(readFileSync(path, "utf8").split("\n")).toEqual([
      "file,split,patient,label,probabilityMalignant,predicted,probability of benign,probability of malignant",
      "a.png,test,14-22549,1,0.75,1,0.25,0.75",
      "",
    ]);
  });

  it("leaves the positive class's probability empty where there is none", async () => {
    await writePredictions(path, [examplePrediction(null, 0, 0.25)], { ...breakhis, positiveClass: null });
    expect(readFileSync(path, "utf8")).toContain(".png,test,,0,,0,0.75,0.25");
    expect(await readPredictions(path)).toEqual([examplePrediction(null, 0, 0.25)]);
  });

  it("has no formula for a spreadsheet in it, and no broken line, whatever a file is called", async () => {
    const files = [
      "=HYPERLINK(1)",
      "+1",
      "-1",
      "@x",
      "\tx",
      "'=x",
      "a,b",
      'a"b',
      "a\nb",
      "a\r\nb",
      hostileName,
    ];
    const hostile = files.map((file) => examplePrediction(file, 1, 0.9, { file }));
    await writePredictions(path, hostile, breakhis);
    const text = readFileSync(path, "utf8");
    expect(text).not.toMatch(/(^|[,\n])"?[=+\-@\t]/);
    expect(await readPredictions(path)).toEqual(hostile);
  });

  it("gives back exactly what was written", async () => {
    const prediction = fc.record({
      file: fc.string({ minLength: 1, unit: "grapheme" }),
      split: fc.constantFrom("train" as const, "validation" as const, "test" as const),
      patient: fc.option(fc.string({ minLength: 1 })),
      label: fc.integer({ min: 0, max: 2 }),
      probabilities: fc.array(fc.float({ min: 0, max: 1, noNaN: true }).map(Math.abs), {
        minLength: 3,
        maxLength: 3,
      }),
      predicted: fc.integer({ min: 0, max: 2 }),
    });
    const classes = { classes: ["a", "b,c", "=d"], positiveClass: 2 };
    await fc.assert(
      fc.asyncProperty(fc.array(prediction, { maxLength: 5 }), async (predictions) => {
        await writePredictions(path, predictions, classes);
        expect(await readPredictions(path)).toEqual(predictions);
      }),
      { numRuns: 60, seed: 1 },
    );
  });

  it("is refused, with the line, if it is something else", async () => {
    writeFileSync(path, "images,labels\na.png,benign\n");
    await expect(readPredictions(path)).rejects.toThrow(/start with the columns file, split/);
    const header =
      "file,split,patient,label,probabilityMalignant,predicted,probability of a,probability of b";
    writeFileSync(path, `${header}\na.png,test,1,1,0.5,1,0.5,0.5\nb.png,tset,1,1,0.5,1,0.5,0.5\n`);
    await expect(readPredictions(path)).rejects.toThrow(/line 3: expected one of train.*found "tset"/);
    writeFileSync(path, `${header}\na.png,test,1,x,0.5,1,0.5,0.5\n`);
    await expect(readPredictions(path)).rejects.toThrow(/line 2: expected a number, found "x"/);
  });
});
