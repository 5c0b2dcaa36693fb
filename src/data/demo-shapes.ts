import { sampleNoise } from "./demo-noise";

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
  const columns = Math.ceil(700 / STEP) + 2;
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
