import type { Random } from "../../runtime/random";
import { sampleNoise } from "./demo-noise";
import { REFERENCE_WIDTH } from "./demo-section";

/** A round or oval body; lengths in reference pixels, angle in radians. */
export interface Oval {
  x: number;
  y: number;
  radiusX: number;
  radiusY: number;
  angle: number;
}

/** A band of constant width along a line of points. */
export interface Band {
  points: readonly { x: number; y: number }[];
  radius: number;
}

/** Signed distances on a coarse grid, in reference pixels, positive inside the shapes. */
export interface DistanceField {
  values: Float32Array;
  columns: number;
  rows: number;
}

/** Reference pixels between two grid points: fine enough for outlines, 16 times fewer points than pixels. */
const STEP = 4;

/** Distances are cut off here; nothing drawn depends on larger ones. */
const FAR = 200;

/**
 * Computes the distance to the outline of the union of shapes, its coordinates warped by noise.
 *
 * @param warp - How far the noise displaces the outline, in reference pixels; `grain` is its fineness.
 * @param height - Height of the picture in reference pixels (its width is always 700).
 */
export function distanceField(
  shapes: { ovals?: readonly Oval[]; bands?: readonly Band[] },
  height: number,
  warp: { tile: Float32Array; amount: number; grain: number; x: number; y: number },
): DistanceField {
  const columns = Math.ceil(REFERENCE_WIDTH / STEP) + 2;
  const rows = Math.ceil(height / STEP) + 2;
  const values = new Float32Array(columns * rows);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const noiseX = column * STEP * warp.grain + warp.x;
      const noiseY = row * STEP * warp.grain + warp.y;
      const x = column * STEP + warp.amount * sampleNoise(warp.tile, noiseX, noiseY);
      const y = row * STEP + warp.amount * sampleNoise(warp.tile, noiseX + 171, noiseY + 93);
      let distance = -FAR;
      for (const oval of shapes.ovals ?? []) distance = Math.max(distance, insideOval(oval, x, y));
      for (const band of shapes.bands ?? []) distance = Math.max(distance, insideBand(band, x, y));
      values[row * columns + column] = distance;
    }
  }
  return { values, columns, rows };
}

/** The field turned inside out: what was outside is inside. */
export function inverted(field: DistanceField): DistanceField {
  return { ...field, values: field.values.map((value) => -value) };
}

/** Reads the field at a place in reference pixels (bilinear, edges repeated). */
export function sampleField(field: DistanceField, x: number, y: number): number {
  const { values, columns, rows } = field;
  const gridX = Math.min(columns - 1.001, Math.max(0, x / STEP));
  const gridY = Math.min(rows - 1.001, Math.max(0, y / STEP));
  const column = gridX | 0;
  const row = gridY | 0;
  const across = gridX - column;
  const down = gridY - row;
  const i = row * columns + column;
  const upper = values[i]! * (1 - across) + values[i + 1]! * across;
  const lower = values[i + columns]! * (1 - across) + values[i + columns + 1]! * across;
  return upper * (1 - down) + lower * down;
}

/** The direction in which the field grows fastest, and how fast (about 1 near an outline). */
export function fieldGradient(field: DistanceField, x: number, y: number): { x: number; y: number } {
  return {
    x: (sampleField(field, x + STEP, y) - sampleField(field, x - STEP, y)) / (2 * STEP),
    y: (sampleField(field, x, y + STEP) - sampleField(field, x, y - STEP)) / (2 * STEP),
  };
}

/**
 * Lays ovals over the picture and a margin around it, so that they keep their distance from each other.
 *
 * @param plan - At most `count` ovals (fewer where no more fit); `radius` lowest and highest; `roundness` the
 *   lowest ratio of the two radii.
 */
export function scatterOvals(
  random: Random,
  height: number,
  plan: { count: number; radius: [number, number]; gap: number; roundness: number },
): Oval[] {
  const ovals: Oval[] = [];
  for (let attempt = 0; attempt < 60 * plan.count && ovals.length < plan.count; attempt++) {
    const radius = plan.radius[0] + (plan.radius[1] - plan.radius[0]) * random.next();
    const flat = plan.roundness + (1 - plan.roundness) * random.next();
    const x = (REFERENCE_WIDTH + 120) * random.next() - 60;
    const y = (height + 120) * random.next() - 60;
    const free = ovals.every((oval) => {
      const reach = Math.max(oval.radiusX, oval.radiusY);
      return Math.hypot(oval.x - x, oval.y - y) > 0.88 * (reach + radius) + plan.gap;
    });
    if (free) ovals.push({ x, y, radiusX: radius, radiusY: radius * flat, angle: random.next() * Math.PI });
  }
  return ovals;
}

/** A line of `steps` straight pieces that changes its heading a little at each. */
export function wanderingLine(
  random: Random,
  start: { x: number; y: number },
  heading: number,
  steps: number,
  length: number,
  turn = 0.3,
): { x: number; y: number }[] {
  const points = [start];
  let direction = heading;
  for (let i = 0; i < steps; i++) {
    const last = points[points.length - 1]!;
    direction += turn * random.normal();
    points.push({ x: last.x + length * Math.cos(direction), y: last.y + length * Math.sin(direction) });
  }
  return points;
}

/** Exact for circles; for ovals the distance along the line to the centre, scaled to the shorter radius. */
function insideOval(oval: Oval, x: number, y: number): number {
  const cos = Math.cos(oval.angle);
  const sin = Math.sin(oval.angle);
  const along = ((x - oval.x) * cos + (y - oval.y) * sin) / oval.radiusX;
  const across = ((y - oval.y) * cos - (x - oval.x) * sin) / oval.radiusY;
  return (1 - Math.sqrt(along * along + across * across)) * Math.min(oval.radiusX, oval.radiusY);
}

function insideBand(band: Band, x: number, y: number): number {
  let nearest = FAR * FAR;
  for (let i = 1; i < band.points.length; i++) {
    const from = band.points[i - 1]!;
    const to = band.points[i]!;
    const dx = to.x - from.x;
    const dy = to.y - from.y;
    const along = ((x - from.x) * dx + (y - from.y) * dy) / (dx * dx + dy * dy);
    const t = Math.min(1, Math.max(0, along));
    const offX = x - from.x - t * dx;
    const offY = y - from.y - t * dy;
    nearest = Math.min(nearest, offX * offX + offY * offY);
  }
  return band.radius - Math.sqrt(nearest);
}
