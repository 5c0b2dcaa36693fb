import { SOLID } from "./demo-architecture";
import { clearSpace, drawCellBody, drawNucleus, type Nucleus } from "./demo-cells";
import type { Crowd, Scene } from "./demo-scene";
import { REFERENCE_WIDTH } from "./demo-section";
import { fieldGradient, sampleField } from "./demo-shapes";

/** Lays nuclei in the epithelium: in rows where it has rows, the more loosely the higher the atypia. */
export function addEpithelium(scene: Scene, spots: Crowd): void {
  const { architecture, cytology, random, section } = scene;
  const { depth, rows, epithelium } = architecture;
  const height = section.height / section.scale;
  const disorder = cytology.atypia ** 1.5;
  for (let dart = 0; dart < 5200; dart++) {
    let x = (REFERENCE_WIDTH + 30) * random.next() - 15;
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

function drawEpithelialCell(
  scene: Scene,
  spot: { x: number; y: number; radius: number },
  angle: number,
  loose: boolean,
): void {
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

function nearest(rows: readonly number[], depth: number): number {
  let best = 0;
  for (let i = 1; i < rows.length; i++) {
    if (Math.abs(rows[i]! - depth) < Math.abs(rows[best]! - depth)) best = i;
  }
  return best;
}
