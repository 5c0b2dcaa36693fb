import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as grouping from "../../src/runtime/group-by";
import { docstringExamples, evaluateExample } from "../support/docstring-examples";

const { groupBy, groupJoined, groupRows } = grouping;

describe("groupBy and groupRows", () => {
  it.each(docstringExamples("src/runtime/group-by.ts"))("example: $code gives $expected", (example) => {
    expect(evaluateExample(example.code, grouping)).toEqual(evaluateExample(example.expected, grouping));
  });

  it("leave out what has no key, and keep the order", () => {
    const items = ["b1", null, "a1", "b2"];
    const byLetter = (item: string | null) => item?.[0] ?? null;
    expect([...groupBy(items, byLetter)]).toEqual([
      ["b", ["b1", "b2"]],
      ["a", ["a1"]],
    ]);
    expect([...groupRows(items, byLetter)]).toEqual([
      ["b", [0, 3]],
      ["a", [2]],
    ]);
  });
});

describe("groupJoined", () => {
  it("finds what a search through all pairs finds", () => {
    const number = fc.integer({ min: 0, max: 19 });
    fc.assert(
      fc.property(fc.array(fc.tuple(number, number), { maxLength: 25 }), (pairs) => {
        const groups = groupJoined(20, (join) => {
          for (const [one, other] of pairs) join(one, other);
        });
        // The smallest number that each can reach, by spreading it until nothing changes.
        const smallest = Array.from({ length: 20 }, (_, i) => i);
        for (let changed = true; changed; ) {
          changed = false;
          for (const [one, other] of pairs) {
            const least = Math.min(smallest[one]!, smallest[other]!);
            changed ||= smallest[one] !== least || smallest[other] !== least;
            smallest[one] = least;
            smallest[other] = least;
          }
        }
        expect(groups).toEqual([...groupRows(smallest, (first) => first).values()]);
      }),
    );
  });
});
