import { describe, expect, it } from "vitest";
import {
  asItIs,
  augmentations,
  type ImageView,
  stainViews,
  transformFor,
  viewId,
  viewsOf,
} from "../../../src/data/images/image-views";
import { allTurns, inverseTurn, type Turn, turnSquare } from "../../../src/data/images/turned-image";
import { laboratories, mixImage } from "../../support/data/stained-images";
import { docstringExamples, evaluateExample } from "../../support/docstring-examples";

const edge = 5;
/** A square in which no two pixels and no two channels are alike. */
const square = Uint8Array.from({ length: edge * edge * 3 }, (_, i) => 3 * i + 1);
const turned = (turn: Turn) => turnSquare(square, 3, turn);
const same = (one: Uint8Array, other: Uint8Array) => one.every((value, i) => value === other[i]);

describe("the eight turns", () => {
  it("are eight different pictures of the same pixels, the picture as it is first", () => {
    const pictures = allTurns.map(turned);
    expect(pictures).toHaveLength(8);
    expect(new Set(pictures.map(String)).size).toBe(8);
    expect(pictures[0]).toEqual(square);
    for (const picture of pictures) expect([...picture].sort()).toEqual([...square].sort());
  });

  it("turn clockwise, mirror left to right, and keep each pixel's colour together", () => {
    const at = (pixels: Uint8Array, row: number, column: number) => [
      ...pixels.subarray(3 * (row * edge + column), 3 * (row * edge + column) + 3),
    ];
    const last = edge - 1;
    for (const [row, column] of [
      [0, 0],
      [1, 3],
      [4, 2],
    ] as const) {
      const original = at(square, row, column);
      expect(at(turned({ quarterTurns: 1, mirrored: false }), column, last - row)).toEqual(original);
      expect(at(turned({ quarterTurns: 0, mirrored: true }), row, last - column)).toEqual(original);
      expect(at(turned({ quarterTurns: 1, mirrored: true }), last - column, last - row)).toEqual(original);
    }
  });

  it("are a group: one after another is one of them, and each can be taken back", () => {
    for (const first of allTurns) {
      expect(turnSquare(turned(first), 3, inverseTurn(first))).toEqual(square);
      for (const second of allTurns) {
        const both = turnSquare(turned(first), 3, second);
        expect(allTurns.filter((turn) => same(turned(turn), both))).toHaveLength(1);
      }
    }
  });

  it("leave what they are given as it is, and refuse what is no square", () => {
    const before = square.slice();
    for (const turn of allTurns) turned(turn);
    expect(square).toEqual(before);
    expect(() => turnSquare(square.subarray(0, 18), 3, allTurns[1]!)).toThrow(/Only a square .* found 6/);
    expect(() => turnSquare(new Uint8Array(0), 3, allTurns[1]!)).toThrow(RangeError);
  });

  it("do what their examples say", () => {
    const examples = docstringExamples("src/data/images/turned-image.ts");
    expect(examples).toHaveLength(1);
    for (const { code, expected } of examples) {
      expect(String(evaluateExample(code, { turnSquare }))).toBe(expected.replaceAll(" ", ""));
    }
    for (const { code, expected } of docstringExamples("src/data/images/image-views.ts")) {
      expect(evaluateExample(code, { viewsOf })).toBe(Number(expected));
    }
  });
});

describe("views", () => {
  const [lilac, pink] = laboratories;
  const pixels = mixImage(lilac, 400, 8);
  const apply = (view: ImageView, image = pixels) => transformFor(null, view)?.apply(image) ?? image;

  it("are 1, 8, 4 or 11, all different, the image as it is first", () => {
    expect(augmentations.map((augmentation) => viewsOf(augmentation).length)).toEqual([1, 8, 4, 11]);
    for (const augmentation of augmentations) {
      const views = viewsOf(augmentation);
      expect(views[0]).toEqual(asItIs);
      expect(new Set(views.map(viewId)).size).toBe(views.length);
      expect(new Set(views.map((view) => String(apply(view)))).size).toBe(views.length);
    }
    expect(transformFor(null, asItIs)).toBeNull();
  });

  it("are the same for the same image, whatever was seen before, and in every run", () => {
    const [view, other] = stainViews(2);
    const once = apply(view!);
    const transform = transformFor(null, view!)!;
    transform.apply(mixImage(pink, 400, 8));
    expect(transform.apply(pixels)).toEqual(once);
    expect(apply(other!)).not.toEqual(once);
    expect(apply({ ...view!, seed: 2 } as ImageView)).not.toEqual(once);
    expect(apply({ ...view!, strength: 0.05 } as ImageView)).not.toEqual(once);
    expect(apply(JSON.parse(JSON.stringify(view)))).toEqual(once);
  });

  it("come after normalisation, and the cache tells every combination apart", () => {
    const reference = { ...pink, strongest: pink.strength, images: 1 };
    const normalised = transformFor(reference, asItIs)!;
    for (const view of viewsOf("turns-and-stains").slice(1)) {
      const both = transformFor(reference, view)!;
      expect(both.apply(pixels)).toEqual(apply(view, normalised.apply(pixels)));
    }
    const other = { ...reference, strongest: [0.5, 0.5] as [number, number] };
    const ids = [null, reference, other].flatMap((stain) =>
      viewsOf("turns-and-stains").map((view) => transformFor(stain, view)?.id ?? "as it is"),
    );
    expect(new Set(ids).size).toBe(3 * 11);
  });
});
