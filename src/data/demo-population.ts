import type { Random } from "../runtime/random";
import { type Architecture, SOLID } from "./demo-architecture";
import { clearSpace, drawCellBody, drawNucleus, drawRedCell, type Nucleus } from "./demo-cells";
import type { Section } from "./demo-section";
import { fieldGradient, sampleField } from "./demo-shapes";
import { acrossFibres, type Ground } from "./demo-tissue";

/** What the cells of one image are like; 0..1 unless a unit is given. */
export interface Cytology {
  /** Deviation from a normal cell: size, its variance, outline, chromatin, nucleoli, polarity. */
  atypia: number;
  /** Half axis of a normal nucleus in reference pixels. */
  nuclearRadius: number;
  /** Haematoxylin of a normal nucleus, in optical density. */
  nuclearStain: number;
  /** Mitoses per tumour cell. */
  mitoticRate: number;
  /** Lymphocytes in the stroma. */
  inflammation: number;
}

interface Scene {
  section: Section;
  architecture: Architecture;
  ground: Ground;
  cytology: Cytology;
  random: Random;
}

interface Spot {
  x: number;
  y: number;
  radius: number;
}

const WIDTH = 700;

/** Puts epithelial cells, spindle cells, lymphocytes and a capillary into painted ground. */
export function populate(scene: Scene): void {
  const spots = crowd();
  addStromalCells(scene, spots);
  addLymphocytes(scene, spots);
  if (scene.random.next() < 0.35) addCapillary(scene);
  addEpithelium(scene, spots);
}

/** Lays nuclei in the epithelium: in rows where it has rows, the more loosely the higher the atypia. */
function addEpithelium(scene: Scene, spots: Crowd): void {
  const { architecture, cytology, random, section } = scene;
  const { depth, rows, epithelium } = architecture;
  const height = section.height / section.scale;
  const disorder = cytology.atypia ** 1.5;
  for (let dart = 0; dart < 5200; dart++) {
    let x = (WIDTH + 30) * random.next() - 15;
    let y = (height + 30) * random.next() - 15;
    const found = sampleField(depth, x, y);
    if (found < 2 || found > epithelium) continue;
    const slope = fieldGradient(depth, x, y);
    const steepness = Math.hypot(slope.x, slope.y);
    const row = rows.length > 0 ? nearest(rows, found) : -1;
    const stretch = 1 + (0.07 + 0.3 * cytology.atypia) * random.normal();
    const size = cytology.nuclearRadius * Math.max(0.6, Math.min(1.9, stretch));
    if (row >= 0 && steepness > 0.3) {
      const target = rows[row]! + (1.5 + 9 * disorder) * random.normal();
      x += ((target - found) * slope.x) / steepness ** 2;
      y += ((target - found) * slope.y) / steepness ** 2;
    } else if (epithelium < SOLID && found > epithelium - 0.6 * size) continue;
    const basal = row === 0 && rows.length > 1;
    const spacing = (basal ? 9.5 : size) * (1.02 - 0.12 * cytology.atypia);
    if (!spots.claim(x, y, spacing)) continue;
    const outward = Math.atan2(slope.y, slope.x);
    const turn = (0.12 + 1.1 * disorder) * random.normal();
    if (random.next() < cytology.mitoticRate) drawMitosis(scene, x, y, size);
    else if (basal) drawNucleus(section, basalNucleus(scene, x, y, outward), scene.ground.noise, random);
    else drawEpithelialCell(scene, { x, y, radius: size }, outward + turn, rows.length === 1);
  }
}

function drawEpithelialCell(scene: Scene, spot: Spot, angle: number, loose: boolean): void {
  const { section, ground, cytology, random } = scene;
  const { atypia } = cytology;
  if (loose || random.next() < 0.55) {
    const shade = 0.8 + 0.4 * random.next();
    drawCellBody(
      section,
      {
        x: spot.x + 3 * random.normal(),
        y: spot.y + 3 * random.normal(),
        radius: spot.radius * (1.35 + 0.3 * random.next()),
        eosin: ground.cytoplasmEosin * shade,
        haematoxylin: ground.cytoplasmHaematoxylin * shade,
      },
      ground.noise,
      random,
    );
  }
  const aspect = 1.12 + 0.32 * random.next() + 0.25 * atypia * Math.abs(random.normal());
  const vesicular = Math.min(1, Math.max(0.15, 0.3 + 0.35 * atypia + 0.3 * random.normal() * (0.4 + atypia)));
  const nucleoli = random.next() < atypia * 1.1 - 0.15 ? [0.2 + 0.14 * random.next()] : [];
  if (nucleoli.length > 0 && random.next() < 0.3) nucleoli.push(0.16);
  const nucleus: Nucleus = {
    x: spot.x,
    y: spot.y,
    long: spot.radius * Math.sqrt(aspect),
    short: spot.radius / Math.sqrt(aspect),
    angle,
    irregularity: 0.05 + 0.2 * atypia,
    stain: cytology.nuclearStain * (1 + 0.22 * atypia + (0.08 + 0.22 * atypia) * random.normal()),
    vesicular,
    clumping: 0.4 + 0.6 * atypia,
    nucleoli,
    taper: 0,
    bend: 0.15 * random.normal() * atypia,
  };
  drawNucleus(section, nucleus, ground.noise, random);
}

/** Myoepithelial nuclei: small, dark, flattened along the basement membrane. */
function basalNucleus(scene: Scene, x: number, y: number, outward: number): Nucleus {
  const { random, cytology } = scene;
  return {
    x,
    y,
    long: 10 + 2 * random.next(),
    short: 4.8 + 1.4 * random.next(),
    angle: outward + Math.PI / 2 + 0.12 * random.normal(),
    irregularity: 0.06,
    stain: cytology.nuclearStain * 1.12,
    vesicular: 0.1,
    clumping: 0.4,
    nucleoli: [],
    taper: 0,
    bend: 0.2 * random.normal(),
  };
}

/** A metaphase plate: ragged, almost black, without a membrane, in cleared cytoplasm. */
function drawMitosis(scene: Scene, x: number, y: number, size: number): void {
  const { section, ground, cytology, random } = scene;
  clearSpace(section, x, y, size * 1.6, 0.55);
  const plate: Nucleus = {
    x,
    y,
    long: size * 1.05,
    short: size * 0.36,
    angle: random.next() * Math.PI,
    irregularity: 0.45,
    stain: cytology.nuclearStain * 1.75,
    vesicular: 0,
    clumping: 0.5,
    nucleoli: [],
    taper: 0,
    bend: 0.3 * random.normal(),
  };
  drawNucleus(section, plate, ground.noise, random);
}

/** Fibroblasts: thin, wavy nuclei along the fibres. */
function addStromalCells(scene: Scene, spots: Crowd): void {
  const { architecture, cytology, ground, random, section } = scene;
  const height = section.height / section.scale;
  const count = Math.round(62 * architecture.stromalCells * (0.6 + 0.8 * random.next()));
  for (let i = 0; i < count; i++) {
    const x = WIDTH * random.next();
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
function addLymphocytes(scene: Scene, spots: Crowd): void {
  const { architecture, cytology, ground, random, section } = scene;
  const height = section.height / section.scale;
  const centre = { x: WIDTH * random.next(), y: height * random.next() };
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
function addCapillary(scene: Scene): void {
  const { architecture, cytology, ground, random, section } = scene;
  const height = section.height / section.scale;
  const radius = 16 + 16 * random.next();
  const x = WIDTH * random.next();
  const y = height * random.next();
  if (sampleField(architecture.depth, x, y) > -radius - 12) return;
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

function nearest(rows: readonly number[], depth: number): number {
  let best = 0;
  for (let i = 1; i < rows.length; i++) {
    if (Math.abs(rows[i]! - depth) < Math.abs(rows[best]! - depth)) best = i;
  }
  return best;
}

interface Crowd {
  /** Takes the place if no earlier spot overlaps it; tells whether it did. */
  claim(x: number, y: number, radius: number): boolean;
}

/** Keeps spots apart; a grid of buckets wider than any spot makes each question cheap. */
function crowd(): Crowd {
  const CELL = 64;
  const buckets = new Map<number, Spot[]>();
  const key = (x: number, y: number) => (Math.floor(y / CELL) + 4) * 64 + Math.floor(x / CELL) + 4;
  return {
    claim(x, y, radius) {
      for (let row = -1; row <= 1; row++) {
        for (let column = -1; column <= 1; column++) {
          for (const spot of buckets.get(key(x + column * CELL, y + row * CELL)) ?? []) {
            if (Math.hypot(spot.x - x, spot.y - y) < spot.radius + radius) return false;
          }
        }
      }
      const own = buckets.get(key(x, y)) ?? [];
      own.push({ x, y, radius });
      buckets.set(key(x, y), own);
      return true;
    },
  };
}
