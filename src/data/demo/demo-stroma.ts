import { clearSpace, drawNucleus, drawRedCell, type Nucleus } from "./demo-cells";
import type { Crowd, Scene } from "./demo-scene";
import { REFERENCE_WIDTH, type Section } from "./demo-section";
import { sampleField } from "./demo-shapes";
import { acrossFibres } from "./demo-tissue";

/** Fibroblasts: thin, wavy nuclei along the fibres. */
export function addStromalCells(scene: Scene, spots: Crowd): void {
  const { architecture, cytology, ground, random, section } = scene;
  const height = section.height / section.scale;
  const count = Math.round(62 * architecture.stromalCells * (0.6 + 0.8 * random.next()));
  for (let i = 0; i < count; i++) {
    const x = REFERENCE_WIDTH * random.next();
    const y = height * random.next();
    if (sampleField(architecture.depth, x, y) > -9 || isEmpty(section, x, y) || !spots.claim(x, y, 10))
      continue;
    const plump = 0.3 * random.next() + 0.35 * cytology.atypia * random.next();
    const nucleus: Nucleus = {
      x,
      y,
      long: 10 + 13 * random.next(),
      short: 2.6 + 1.2 * random.next() + 5 * plump,
      angle: fibreDirection(scene, x, y) + 0.15 * random.normal(),
      irregularity: 0.08 + 0.1 * cytology.atypia,
      stain: cytology.nuclearStain * (0.75 + 0.35 * random.next()),
      vesicular: 0.2 * random.next() + plump,
      clumping: 0.5,
      nucleoli: [],
      taper: 0.6,
      bend: 0.5 * random.normal(),
    };
    drawNucleus(section, nucleus, ground.noise, random);
  }
}

/** Lymphocytes come in loose groups: small, round, very dark. */
export function addLymphocytes(scene: Scene, spots: Crowd): void {
  const { architecture, cytology, ground, random, section } = scene;
  const height = section.height / section.scale;
  const centre = { x: REFERENCE_WIDTH * random.next(), y: height * random.next() };
  const count = Math.round(45 * cytology.inflammation * random.next());
  for (let i = 0; i < count; i++) {
    const x = centre.x + 110 * random.normal();
    const y = centre.y + 90 * random.normal();
    if (sampleField(architecture.depth, x, y) > -8 || isEmpty(section, x, y) || !spots.claim(x, y, 8.5))
      continue;
    const radius = 7.5 + 1.6 * random.next();
    const nucleus: Nucleus = {
      x,
      y,
      long: radius * 1.05,
      short: radius,
      angle: random.next() * Math.PI,
      irregularity: 0.06,
      stain: cytology.nuclearStain * 1.35,
      vesicular: 0.1,
      clumping: 0.9,
      nucleoli: [],
      taper: 0,
      bend: 0,
    };
    drawNucleus(section, nucleus, ground.noise, random);
  }
}

/** A capillary: an endothelial wall around a few red cells, somewhere in the stroma. */
export function addCapillary(scene: Scene): void {
  const { architecture, cytology, ground, random, section } = scene;
  const height = section.height / section.scale;
  const radius = 16 + 16 * random.next();
  const x = REFERENCE_WIDTH * random.next();
  const y = height * random.next();
  if (sampleField(architecture.depth, x, y) > -0.7 * radius - 6 || isEmpty(section, x, y)) return;
  clearSpace(section, x, y, radius * 1.15, 0.92);
  const cells = Math.round((radius / 9) ** 2);
  for (let i = 0; i < cells; i++) {
    const away = (radius - 10) * Math.sqrt(random.next());
    const where = random.next() * 2 * Math.PI;
    drawRedCell(section, x + away * Math.cos(where), y + away * Math.sin(where), 8 + random.next());
  }
  for (let i = 0; i < 4; i++) {
    const where = ((i + 0.6 * random.next()) / 4) * 2 * Math.PI;
    const nucleus: Nucleus = {
      x: x + radius * Math.cos(where),
      y: y + radius * Math.sin(where),
      long: 13,
      short: 3.4,
      angle: where + Math.PI / 2,
      irregularity: 0.06,
      stain: cytology.nuclearStain,
      vesicular: 0.1,
      clumping: 0.5,
      nucleoli: [],
      taper: 0.6,
      bend: 0.3,
    };
    drawNucleus(section, nucleus, ground.noise, random);
  }
}

/** Whether nothing is there that could hold a cell: a tear, a fat cell, the glass. */
function isEmpty(section: Section, x: number, y: number): boolean {
  const column = Math.min(section.width - 1, Math.floor(x * section.scale));
  const row = Math.min(section.height - 1, Math.floor(y * section.scale));
  return section.eosin[row * section.width + column]! < 0.045;
}

function fibreDirection(scene: Scene, x: number, y: number): number {
  const { architecture, ground } = scene;
  const at = (px: number, py: number) =>
    acrossFibres(ground, architecture.fibreAngle, px, py, sampleField(architecture.depth, px, py));
  return Math.atan2(at(x, y + 3) - at(x, y - 3), at(x + 3, y) - at(x - 3, y)) + Math.PI / 2;
}
