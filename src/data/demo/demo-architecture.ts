import type { Random } from "../../runtime/random";
import type { NoiseTiles } from "./demo-noise";
import { REFERENCE_WIDTH } from "./demo-section";
import {
  type Band,
  type DistanceField,
  distanceField,
  inverted,
  type Oval,
  scatterOvals,
  wanderingLine,
} from "./demo-shapes";

/** How the cells of one image are arranged; lengths in reference pixels. */
export interface Architecture {
  /** Depth inside the epithelium: negative in stroma, beyond `epithelium` the lumen. */
  depth: DistanceField;
  /** Thickness of the epithelium between stroma and lumen; `SOLID` in nests without one. */
  epithelium: number;
  /** Depths at which rows of nuclei lie, from the stroma inwards; empty where cells lie anyhow. */
  rows: number[];
  /** Share of the ground between the epithelium that is mucin, 0..1. */
  mucin: number;
  /** Share of the stroma that is loose and watery, 0..1. */
  myxoid: number;
  /** Spindle cells in the stroma relative to an ordinary breast. */
  stromalCells: number;
  /** Whether shrinkage opens white clefts around the epithelium, 0..1. */
  retraction: number;
  /** Direction of the fibres in radians. */
  fibreAngle: number;
}

/** BreaKHis' codes for the four benign and four malignant tumour types. */
export type Subtype = "A" | "F" | "PT" | "TA" | "DC" | "LC" | "MC" | "PC";

interface Canvas {
  random: Random;
  noise: NoiseTiles;
  height: number;
  /** Atypia of the image, 0..1: the higher, the less the arrangement keeps its plan. */
  atypia: number;
}

/** More than any depth (and finite, so that arithmetic with it stays so). */
export const SOLID = 1e4;

const builders: Record<Subtype, (canvas: Canvas) => Partial<Architecture>> = {
  A: adenosis,
  F: fibroadenoma,
  PT: phyllodes,
  TA: tubularAdenoma,
  DC: ductalCarcinoma,
  LC: lobularCarcinoma,
  MC: mucinousCarcinoma,
  PC: papillaryCarcinoma,
};

/** Arranges the tissue of one image as its tumour type would be. */
export function arrangeTissue(subtype: Subtype, canvas: Canvas): Architecture {
  const nothing = field(canvas, {}, 0);
  return {
    depth: nothing,
    epithelium: 36,
    rows: [8, 25],
    mucin: 0,
    myxoid: 0.2,
    stromalCells: 1,
    retraction: 0.1 + 0.4 * canvas.atypia * canvas.random.next(),
    fibreAngle: canvas.random.next() * Math.PI,
    ...builders[subtype](canvas),
  };
}

/** Many small, crowded acini with narrow lumens. */
function adenosis(canvas: Canvas): Partial<Architecture> {
  const ovals = scatterOvals(canvas.random, canvas.height, {
    count: 34,
    radius: [42, 60],
    gap: 8,
    roundness: 0.72,
  });
  return {
    depth: field(canvas, { ovals }, 7),
    epithelium: 33,
    rows: [8, 23],
    myxoid: 0.15,
    stromalCells: 1.1,
  };
}

/** Compressed, branching slits in abundant, often loose stroma. */
function fibroadenoma(canvas: Canvas): Partial<Architecture> {
  const { random } = canvas;
  const slits: Band[] = [];
  const count = 1 + random.integer(3);
  for (let i = 0; i < count; i++) {
    const start = {
      x: REFERENCE_WIDTH * ((i + random.next()) / count),
      y: canvas.height * (0.2 + 0.6 * random.next()),
    };
    slits.push({ points: wanderingLine(random, start, random.next() * 2 * Math.PI, 6, 70), radius: 41 });
  }
  return { depth: field(canvas, { bands: slits }, 9), myxoid: 0.55, stromalCells: 1 };
}

/** Leaves of cellular stroma, covered by epithelium, that push into clefts. */
function phyllodes(canvas: Canvas): Partial<Architecture> {
  const { random } = canvas;
  const cleft: Band[] = [];
  const stem = {
    x: REFERENCE_WIDTH * (0.25 + 0.5 * random.next()),
    y: canvas.height * (0.3 + 0.4 * random.next()),
  };
  const heading = random.next() * 2 * Math.PI;
  for (let i = 0; i < 2 + random.integer(2); i++) {
    const turn = heading + (i * 2 * Math.PI) / 3 + 0.6 * random.normal() * 0.5;
    cleft.push({ points: wanderingLine(random, stem, turn, 6, 85), radius: 44 + 22 * random.next() });
  }
  return { depth: field(canvas, { bands: cleft }, 12), myxoid: 0.35, stromalCells: 2.4, epithelium: 34 };
}

/** Round, even tubules, close together, with little stroma between them. */
function tubularAdenoma(canvas: Canvas): Partial<Architecture> {
  const ovals = scatterOvals(canvas.random, canvas.height, {
    count: 24,
    radius: [64, 82],
    gap: 10,
    roundness: 0.9,
  });
  return { depth: field(canvas, { ovals }, 4), epithelium: 38, myxoid: 0.1, stromalCells: 0.8 };
}

/** Solid nests and cords of crowded cells; the better differentiated, the more they still form glands. */
function ductalCarcinoma(canvas: Canvas): Partial<Architecture> {
  const { random, atypia } = canvas;
  const ovals = scatterOvals(canvas.random, canvas.height, {
    count: 8 + random.integer(9),
    radius: [48, 135],
    gap: 4,
    roundness: 0.55,
  });
  const solid = random.next() < 0.25 + 0.75 * atypia;
  return {
    depth: field(canvas, { ovals }, 14 + 10 * atypia),
    epithelium: solid ? SOLID : 44,
    rows: [],
    stromalCells: 1.4,
  };
}

/** Loose cells in single files between the fibres. */
function lobularCarcinoma(canvas: Canvas): Partial<Architecture> {
  const { random } = canvas;
  const fibreAngle = random.next() * Math.PI;
  const files: Band[] = [];
  const count = 7 + random.integer(8);
  for (let i = 0; i < count; i++) {
    const start = { x: REFERENCE_WIDTH * random.next(), y: canvas.height * random.next() };
    const heading = fibreAngle + (random.next() < 0.5 ? Math.PI : 0);
    files.push({
      points: wanderingLine(random, start, heading, 4 + random.integer(4), 55, 0.16),
      radius: 13,
    });
  }
  return {
    depth: field(canvas, { bands: files }, 8),
    epithelium: SOLID,
    rows: [12],
    fibreAngle,
    retraction: 0.6,
  };
}

/** Islands of cells afloat in lakes of pale mucin between thin walls. */
function mucinousCarcinoma(canvas: Canvas): Partial<Architecture> {
  const ovals = scatterOvals(canvas.random, canvas.height, {
    count: 3 + canvas.random.integer(6),
    radius: [34, 88],
    gap: 34,
    roundness: 0.6,
  });
  return {
    depth: field(canvas, { ovals }, 12),
    epithelium: SOLID,
    rows: [],
    mucin: 0.62 + 0.3 * canvas.random.next(),
    stromalCells: 0.7,
  };
}

/** Fronds with a core of fibres and vessels, covered by piled-up cells, in an open space. */
function papillaryCarcinoma(canvas: Canvas): Partial<Architecture> {
  const { random } = canvas;
  const cores: Band[] = [];
  const stem = { x: REFERENCE_WIDTH * random.next(), y: canvas.height * random.next() };
  const branches = 4 + random.integer(3);
  for (let i = 0; i < branches; i++) {
    const heading = ((i + 0.6 * random.next()) / branches) * 2 * Math.PI;
    const points = wanderingLine(random, stem, heading, 8, 62, 0.3);
    cores.push({ points, radius: 13 + 13 * random.next() });
    const side = points[3 + random.integer(3)]!;
    const turn = random.next() < 0.5 ? 1.2 : -1.2;
    cores.push({ points: wanderingLine(random, side, heading + turn, 4, 50, 0.3), radius: 10 });
  }
  return {
    depth: inverted(field(canvas, { bands: cores }, 8)),
    epithelium: 40 + 14 * random.next(),
    rows: [],
    retraction: 0,
    stromalCells: 1.8,
  };
}

function field(
  canvas: Canvas,
  shapes: { ovals?: readonly Oval[]; bands?: readonly Band[] },
  warp: number,
): DistanceField {
  const [x, y] = [canvas.random.integer(512), canvas.random.integer(512)];
  return distanceField(shapes, canvas.height, { tile: canvas.noise.cloud, amount: warp, grain: 0.45, x, y });
}
