import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseBreakhisName, subtypeNames } from "../../../src/data/layouts/breakhis";

describe("parseBreakhisName", () => {
  it("reads every part of an original name", () => {
    expect(parseBreakhisName("SOB_B_A-14-22549AB-100-001.png")).toEqual({
      tumourClass: "benign",
      subtype: "A",
      year: 2014,
      slide: "22549AB",
      patient: "22549",
      magnification: 100,
      sequence: 1,
    });
    expect(parseBreakhisName("SOB_M_PC-15-190EF-400-014.png")).toEqual({
      tumourClass: "malignant",
      subtype: "PC",
      year: 2015,
      slide: "190EF",
      patient: "190",
      magnification: 400,
      sequence: 14,
    });
  });

  it("reads tiles with an underscore for the hyphen and no magnification", () => {
    expect(parseBreakhisName("SOB_M_DC_14-17915_1.png")).toEqual({
      tumourClass: "malignant",
      subtype: "DC",
      year: 2014,
      slide: "17915",
      patient: "17915",
      magnification: null,
      sequence: 1,
    });
    // The only number after the slide is the tile's, even where it looks like a magnification.
    expect(parseBreakhisName("SOB_M_DC_14-17915_100.png")).toMatchObject({
      magnification: null,
      sequence: 100,
    });
    expect(parseBreakhisName("SOB_M_DC-14-2980-40-001_3.png")).toMatchObject({
      magnification: 40,
      sequence: 1,
    });
  });

  it("gives slides of one patient the same patient", () => {
    const patients = [
      "SOB_B_TA-14-16184-40-034.png",
      "SOB_B_TA-14-16184CD-40-015.png",
      "sob_b_ta-14-16184cd-40x-015.PNG",
    ].map((name) => parseBreakhisName(name)?.patient);
    expect(patients).toEqual(["16184", "16184", "16184"]);
  });

  it("looks at the name only, whatever the folders and the kind of slash", () => {
    const name = "SOB_B_F-14-14134E-400-001.png";
    expect(parseBreakhisName(`data/train/malignant/${name}`)).toEqual(parseBreakhisName(name));
    expect(parseBreakhisName(`data\\train\\malignant\\${name}`)).toEqual(parseBreakhisName(name));
    expect(parseBreakhisName("SOB_B_F-14-14134E-400-001 (1).png")).toEqual(parseBreakhisName(name));
  });

  it.each([
    "",
    "image.png",
    "SOB_B_A-14-22549AB-100-001", // no extension
    "SOB_B_DC-14-22549AB-100-001.png", // ductal carcinoma is not benign
    "SOB_M_F-14-22549AB-100-001.png",
    "SOB_X_A-14-22549AB-100-001.png",
    "SOB_B_A-14-AB-100-001.png", // no patient
    "SOB_B_A-14-22549AB-100-.png",
    "SOB_B_A-14-22549AB.png", // no sequence
    "copy of SOB_B_A-14-22549AB-100-001.png",
    "9036_idx5_x1001_y801_class0.png",
  ])("knows that %j is no BreaKHis name", (name) => {
    expect(parseBreakhisName(name)).toBeNull();
  });

  it("returns what a name was made of, for any name", () => {
    const subtypes = fc.constantFrom(...Object.keys(subtypeNames));
    const letters = fc.stringMatching(/^[A-H]{0,3}$/);
    const magnifications = fc.constantFrom(40, 100, 200, 400, null);
    const separators = fc.constantFrom("-", "_");
    fc.assert(
      fc.property(
        subtypes,
        fc.integer({ min: 10, max: 25 }),
        fc.integer({ min: 100, max: 99999 }),
        letters,
        magnifications,
        fc.integer({ min: 0, max: 999 }),
        separators,
        fc.constantFrom("png", "jpg", "TIFF"),
        (subtype, year, patient, suffix, magnification, sequence, separator, extension) => {
          const tumourClass = ["A", "F", "PT", "TA"].includes(subtype) ? "benign" : "malignant";
          const middle = magnification === null ? "" : `${separator}${magnification}`;
          const name = `SOB_${tumourClass === "benign" ? "B" : "M"}_${subtype}${separator}${year}-${patient}${suffix}${middle}${separator}${String(sequence).padStart(3, "0")}.${extension}`;
          expect(parseBreakhisName(name)).toEqual({
            tumourClass,
            subtype,
            year: 2000 + year,
            slide: `${patient}${suffix}`,
            patient: String(patient),
            magnification,
            sequence,
          });
        },
      ),
    );
  });

  it("never throws and takes no longer for hostile names", () => {
    fc.assert(fc.property(fc.string(), (name) => parseBreakhisName(name) === null));
    expect(parseBreakhisName(`SOB_M_DC-14-${"1".repeat(100_000)}`)).toBeNull();
  });
});
