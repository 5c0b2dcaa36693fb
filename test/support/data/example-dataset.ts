import type { Dataset, ImageRecord } from "../../../src/data/dataset";

/** A name that would do harm if it reached a page unescaped. */
export const hostileName = '<img src=x onerror=alert(1)>".png';

/** A record with everything that a test does not care about filled in. */
export function exampleRecord(changes: Partial<ImageRecord> = {}): ImageRecord {
  return {
    file: "benign/SOB_B_A-14-22549AB-100-001.png",
    label: 0,
    subtype: "A",
    slide: "22549AB",
    patient: "22549",
    magnification: 100,
    year: 2014,
    width: 700,
    height: 460,
    sha256: "00",
    meanColour: [190.5, 150.25, 200],
    perceptualHash: null,
    folderPart: null,
    ...changes,
  };
}

/** Three benign images of two patients, five malignant ones of three, one of them with a hostile name. */
export function exampleDataset(changes: Partial<Dataset> = {}): Dataset {
  const malignant = { label: 1, subtype: "DC", slide: "7", patient: "7" };
  return {
    folder: "/nowhere",
    layout: "class-folders",
    name: "example",
    synthetic: false,
    classes: ["benign", "malignant"],
    positiveClass: 1,
    records: [
      exampleRecord(),
      exampleRecord({ magnification: 40 }),
      exampleRecord({ patient: "100", slide: "100", subtype: "F", width: 500, height: 328 }),
      exampleRecord(malignant),
      exampleRecord({ ...malignant, magnification: 400 }),
      exampleRecord({ ...malignant, patient: "8", slide: "8", subtype: "LC" }),
      exampleRecord({ ...malignant, patient: "8", slide: "8B", subtype: "LC", magnification: null }),
      exampleRecord({
        ...malignant,
        file: hostileName,
        patient: null,
        slide: null,
        subtype: null,
        magnification: null,
      }),
    ],
    skipped: [],
    warnings: [],
    ...changes,
  };
}
