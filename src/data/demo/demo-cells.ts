import type { Random } from "../../runtime/random";
import { type NoiseTiles, sampleNoise, smoothStep } from "./demo-noise";
import { forEachPixelAround, type Section } from "./demo-section";

/** A cell nucleus as the pathologist describes it; lengths in reference pixels. */
export interface Nucleus {
  x: number;
  y: number;
  /** Half axes; `long` lies along `angle`. */
  long: number;
  short: number;
  angle: number;
  /** Relative unevenness of the outline, 0 (an ellipse) to about 0.3. */
  irregularity: number;
  /** Haematoxylin, in optical density. */
  stain: number;
  /** How much chromatin has moved from the middle to the membrane, 0..1. */
  vesicular: number;
  /** Coarseness of the chromatin, 0..1. */
  clumping: number;
  /** Radii of nucleoli relative to `short`. */
  nucleoli: number[];
  /** How pointed the ends are, 0..1. */
  taper: number;
  /** Curvature of the long axis, for spindle cells. */
  bend: number;
}

/** A patch of cytoplasm around a nucleus that lies loose, without neighbours. */
export interface CellBody {
  x: number;
  y: number;
  radius: number;
  eosin: number;
  haematoxylin: number;
}

/** Outline radii are computed for this many directions and interpolated between them. */
const DIRECTIONS = 48;

/** No outline reaches farther from the middle, relative to the half axes. */
const FARTHEST = 1.4;

/** Draws a nucleus over what is there: translucent, as in a section of some micrometres. */
export function drawNucleus(section: Section, nucleus: Nucleus, noise: NoiseTiles, random: Random): void {
  const { scale, haematoxylin, eosin } = section;
  // Called for every pixel: a local name spares the look-up in another module's exports.
  const [noiseAt, step] = [sampleNoise, smoothStep] as const;
  const outline = drawOutline(nucleus.irregularity, random);
  const nucleoli = nucleus.nucleoli.map((radius) => ({
    u: 0.55 * (random.next() - 0.5),
    v: 0.55 * (random.next() - 0.5),
    radius,
  }));
  const [textureX, textureY] = [random.integer(512), random.integer(512)];
  const cos = Math.cos(nucleus.angle);
  const sin = Math.sin(nucleus.angle);
  const edge = 1.3 / (nucleus.short * scale);
  forEachPixelAround(section, nucleus.x, nucleus.y, nucleus.long * FARTHEST + 2, (i, dx, dy) => {
    const u = (dx * cos + dy * sin) / nucleus.long;
    const taper = Math.max(0.3, 1 - nucleus.taper * u * u);
    const v = ((dy * cos - dx * sin) / nucleus.short + nucleus.bend * u * u) / taper;
    if (u * u + v * v > FARTHEST * FARTHEST) return;
    const turn = (Math.atan2(v, u) / (2 * Math.PI) + 1) * DIRECTIONS;
    const direction = turn | 0;
    const between = turn - direction;
    const reach =
      outline[direction % DIRECTIONS]! * (1 - between) + outline[(direction + 1) % DIRECTIONS]! * between;
    const rim = Math.sqrt(u * u + v * v) / reach;
    const cover = step(1 + edge, 1 - edge, rim);
    if (cover === 0) return;
    const coarse = noiseAt(noise.cloud, (dx + textureX) * 2.2, (dy + textureY) * 2.2);
    const fine = noiseAt(noise.grain, dx * 1.1 + textureY, dy * 1.1 + textureX);
    const membrane = step(0.6, 0.95, rim);
    let h =
      nucleus.stain * (1 - 0.5 * nucleus.vesicular * (1 - membrane) + 0.12 * nucleus.vesicular * membrane);
    h *= 1 + nucleus.clumping * (0.26 * coarse + 0.34 * fine);
    let e = 0.1;
    for (const spot of nucleoli) {
      const off = Math.hypot((u - spot.u) * nucleus.long, (v - spot.v) * nucleus.short) / nucleus.short;
      const core = step(spot.radius * 1.25, spot.radius * 0.75, off);
      h += core * (nucleus.stain * 1.25 - h);
      e += core * 0.25;
    }
    haematoxylin[i] = haematoxylin[i]! * (1 - 0.72 * cover) + Math.max(0.1, h) * cover;
    eosin[i] = eosin[i]! * (1 - 0.6 * cover) + e * cover;
  });
}

/** Draws a cell's cytoplasm with a soft border; the amount of dye is that of the whole thickness. */
export function drawCellBody(section: Section, body: CellBody, noise: NoiseTiles, random: Random): void {
  const { haematoxylin, eosin } = section;
  const outline = drawOutline(0.13, random);
  const [textureX, textureY] = [random.integer(512), random.integer(512)];
  forEachPixelAround(section, body.x, body.y, body.radius * FARTHEST, (i, dx, dy) => {
    const turn = ((Math.atan2(dy, dx) / (2 * Math.PI) + 1) * DIRECTIONS) % DIRECTIONS;
    const rim = Math.sqrt(dx * dx + dy * dy) / (body.radius * outline[turn | 0]!);
    const cover = smoothStep(1.12, 0.9, rim);
    if (cover === 0) return;
    const texture = 1 + 0.17 * sampleNoise(noise.grain, dx + textureX, dy + textureY);
    const border = 1 + 0.3 * smoothStep(0.75, 0.95, rim);
    eosin[i] = eosin[i]! * (1 - cover) + body.eosin * texture * border * cover;
    haematoxylin[i] = haematoxylin[i]! * (1 - cover) + body.haematoxylin * texture * cover;
  });
}

/** Clears a round, soft-edged space, such as the pale cytoplasm of a dividing cell. */
export function clearSpace(section: Section, x: number, y: number, radius: number, share: number): void {
  const { haematoxylin, eosin } = section;
  forEachPixelAround(section, x, y, radius, (i, dx, dy) => {
    const left = 1 - share * smoothStep(radius, radius * 0.6, Math.sqrt(dx * dx + dy * dy));
    haematoxylin[i]! *= left;
    eosin[i]! *= left;
  });
}

/** A red blood cell: an eosin-red disc, paler in the middle. */
export function drawRedCell(section: Section, x: number, y: number, radius: number): void {
  const { haematoxylin, eosin } = section;
  forEachPixelAround(section, x, y, radius + 1, (i, dx, dy) => {
    const rim = Math.sqrt(dx * dx + dy * dy) / radius;
    const cover = smoothStep(1.08, 0.92, rim);
    const dye = 0.5 + 0.16 * smoothStep(0.1, 0.8, rim);
    eosin[i] = eosin[i]! * (1 - cover) + dye * cover;
    haematoxylin[i] = haematoxylin[i]! * (1 - cover) + 0.03 * cover;
  });
}

/** Radii of a closed outline around 1: an ellipse's with some low harmonics. */
function drawOutline(irregularity: number, random: Random): Float32Array {
  const waves = [2, 3, 4, 5].map((count) => ({
    count,
    amount: (irregularity * random.normal() * 1.4) / count,
    phase: 2 * Math.PI * random.next(),
  }));
  return Float32Array.from({ length: DIRECTIONS }, (_, direction) => {
    const angle = (2 * Math.PI * direction) / DIRECTIONS;
    let radius = 1;
    for (const wave of waves) radius += wave.amount * Math.cos(wave.count * angle + wave.phase);
    return Math.max(0.55, Math.min(FARTHEST, radius));
  });
}
