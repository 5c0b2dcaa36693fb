import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseBreakhisName, subtypeNames } from "../../../src/data/layouts/breakhis";
import { parseIdcName } from "../../../src/data/layouts/idc";

const subtypes = Object.keys(subtypeNames);
const digits = (minLength: number, maxLength: number) =>
  fc.array(fc.integer({ min: 0, max: 9 }), { minLength, maxLength }).map((all) => all.join(""));
const separator = fc.constantFrom("-", "_");

/** Pieces that names are made of, in any order, and anything else. */
const nearlyName = fc.oneof(
  fc.string({ unit: "binary" }),
  fc
    .array(
      fc.oneof(
        fc.constantFrom(
          "SOB",
          "CNB",
          "_",
          "-",
          "B",
          "M",
          "A",
          "DC",
          "14",
          "22549AB",
          "100",
          "X",
          ".png",
          "/",
          "\\",
          "(1)",
          " ",
        ),
        digits(1, 8),
      ),
      { maxLength: 16 },
    )
    .map((pieces) => pieces.join("")),
);

describe("parseBreakhisName", () => {
  it("reads back every name that it could have been made from", () => {
    const name = fc.record({
      subtype: fc.constantFrom(...subtypes),
      year: digits(2, 2),
      patient: digits(1, 8),
      letters: fc.constantFrom("", "A", "AB", "CD", "EF"),
      magnification: fc.constantFrom(null, 40, 100, 200, 400),
      sequence: digits(1, 6),
      between: fc.array(separator, { minLength: 6, maxLength: 6 }),
      lower: fc.boolean(),
      folder: fc.constantFrom("", "a/b/", "C:\\x\\"),
    });
    fc.assert(
      fc.property(
        name,
        ({ subtype, year, patient, letters, magnification, sequence, between, lower, folder }) => {
          const isBenign = ["A", "F", "PT", "TA"].includes(subtype);
          const [a, b, c, d, e, f] = between;
          const scale = magnification === null ? "" : `${e}${magnification}`;
          const text = `SOB${a}${isBenign ? "B" : "M"}${b}${subtype}${c}${year}${d}${patient}${letters}${scale}${f}${sequence}.png`;
          const parsed = parseBreakhisName(folder + (lower ? text.toLowerCase() : text));
          expect(parsed).toEqual({
            tumourClass: isBenign ? "benign" : "malignant",
            subtype,
            year: 2000 + Number(year),
            slide: patient + letters,
            patient,
            magnification: parsed?.magnification ?? magnification,
            sequence: parsed?.sequence ?? Number(sequence),
          });
          // Without a magnification a sequence such as 40 can only be told from one where something follows it.
          if (magnification !== null)
            expect(parsed).toMatchObject({ magnification, sequence: Number(sequence) });
        },
      ),
      { numRuns: 1000 },
    );
  });

  it("answers with sound values or null, whatever the name", () => {
    fc.assert(
      fc.property(nearlyName, (text) => {
        const parsed = parseBreakhisName(text);
        if (parsed === null) return;
        expect(subtypes).toContain(parsed.subtype);
        expect(parsed.patient).toMatch(/^\d+$/);
        expect(parsed.slide.startsWith(parsed.patient)).toBe(true);
        expect([null, 40, 100, 200, 400]).toContain(parsed.magnification);
        expect(Number.isSafeInteger(parsed.sequence)).toBe(true);
        expect(parsed.year).toBeGreaterThanOrEqual(2000);
      }),
      { numRuns: 2000 },
    );
  });

  it("does not take long for names made to keep it busy", () => {
    for (const piece of ["1", "A", "-1", "_40X", " (1)"]) {
      expect(parseBreakhisName(`SOB_B_A-14-${piece.repeat(100_000)}!`)).toBeNull();
    }
  });
});

describe("parseIdcName", () => {
  it("reads back every name, and anything else as null or sound", () => {
    fc.assert(
      fc.property(digits(1, 6), fc.nat(9999), fc.nat(9999), fc.boolean(), (patient, x, y, isIdc) => {
        const text = `${patient}_idx5_x${x}_y${y}_class${isIdc ? 1 : 0}.png`;
        expect(parseIdcName(`some/folder/${text}`)).toEqual({ patient, x, y, isIdc });
      }),
    );
    fc.assert(
      fc.property(fc.oneof(nearlyName, fc.string()), (text) => {
        const parsed = parseIdcName(text);
        if (parsed !== null) expect(parsed.patient).toMatch(/^\d+$/);
      }),
    );
    expect(parseIdcName("8863_idx5_x1_y2_class2.png")).toBeNull();
  });
});
