import { describe, expect, it } from "vitest";
import { z } from "zod";
import { explainMismatch } from "../../src/runtime/schema-words";

const turned = z.object({ kind: z.literal("turned"), quarterTurns: z.number().int().min(0).max(3) });
const stained = z.object({ kind: z.literal("stained"), strength: z.number().min(0).lt(1) });
const schema = z.object({
  format: z.enum(["one", "two", "three"]),
  colours: z.literal("RGB, 0 to 255"),
  classes: z.array(z.string()).min(2),
  temperature: z.number().positive().nullable(),
  size: z.number().int().positive(),
  density: z.tuple([z.number(), z.number(), z.number()]),
  checksum: z
    .string()
    .regex(/^[0-9a-f]{4}$/)
    .meta({ takes: "four hexadecimal digits" }),
  layers: z.array(z.object({ units: z.number().int().min(1).max(9), bias: z.boolean() })).min(1),
  views: z.array(z.discriminatedUnion("kind", [turned, stained])).optional(),
  versions: z.record(z.string(), z.string()),
});
const good = {
  format: "one",
  colours: "RGB, 0 to 255",
  classes: ["a", "b"],
  temperature: 1.5,
  size: 3,
  density: [1, 2, 3],
  checksum: "00ff",
  layers: [{ units: 1, bias: true }],
  versions: { node: "24" },
};

function explain(given: unknown): string | null {
  const { error } = schema.safeParse(given);
  return error === undefined ? null : explainMismatch(schema, error, given, "the file");
}

describe("explainMismatch", () => {
  it("has nothing to say of what is as it should be", () => {
    expect(explain(good)).toBeNull();
    expect(explain({ ...good, temperature: null, views: [{ kind: "turned", quarterTurns: 1 }] })).toBeNull();
  });

  it.each([
    [{ format: "four" }, 'format takes one, two or three, and "four" was given'],
    [{ colours: "BGR" }, 'colours takes "RGB, 0 to 255", and "BGR" was given'],
    [{ classes: ["a"] }, 'classes takes a list of 2 or more texts, and ["a"] was given'],
    [{ classes: ["a", 3] }, 'classes takes a list of 2 or more texts, and ["a",3] was given'],
    [{ temperature: 0 }, "temperature takes a number above 0, or null, and 0 was given"],
    [{ temperature: undefined }, "temperature takes a number above 0, or null, and nothing was given"],
    [{ size: 0.5 }, "size takes a whole number above 0, and 0.5 was given"],
    [{ density: [1, 2] }, "density takes a list of 3 numbers, and [1,2] was given"],
    [{ density: [1, 2, "3"] }, 'density takes a list of 3 numbers, and [1,2,"3"] was given'],
    [{ checksum: "xyz" }, 'checksum takes four hexadecimal digits, and "xyz" was given'],
    [{ layers: [] }, "layers takes a list of 1 or more groups, and [] was given"],
    [
      { layers: [good.layers[0], { units: 10, bias: 1 }] },
      "layers.1.units takes a whole number from 1 to 9, and 10 was given; layers.1.bias takes true or false, and 1 was given",
    ],
    [{ layers: [7] }, "layers.0 takes a group of units, bias, and 7 was given"],
    [{ views: [{ kind: "bent" }] }, 'views.0.kind takes turned or stained, and "bent" was given'],
    [{ views: [7] }, "views.0 takes a group, and 7 was given"],
    [
      { views: [{ kind: "stained", strength: 1 }] },
      "views.0.strength takes a number from 0 to below 1, and 1 was given",
    ],
    [{ versions: { node: 24 } }, "versions.node takes a text, and 24 was given"],
    [{ versions: null }, "versions takes a group, and null was given"],
  ])("says of %o where it is wrong, what belongs there and what was found", (change, sentence) => {
    expect(explain({ ...good, ...change })).toBe(sentence);
  });

  it("says what the whole should be where it is something else", () => {
    expect(explain(null)).toMatch(
      /^the file takes a group of format, colours, .*versions, and null was given$/,
    );
  });

  it("names a handful of very many wrong places, and shows no escape sequence", () => {
    const layers = Array.from({ length: 100 }, () => ({ units: "\u009b2J", bias: true }));
    const sentence = explain({ ...good, layers })!;
    expect(sentence).toMatch(/layers\.9\.units takes .*; and 90 more$/);
    expect(sentence).not.toContain("layers.10.units");
    expect(sentence).not.toContain("\u009b");
  });
});
