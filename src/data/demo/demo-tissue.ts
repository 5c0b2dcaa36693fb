import type { Random } from "../../runtime/random";
import { type Architecture, SOLID } from "./demo-architecture";
import { type NoiseTiles, sampleNoise, smoothStep } from "./demo-noise";
import { forEachPixelAround, REFERENCE_WIDTH, type Section } from "./demo-section";
import { sampleField } from "./demo-shapes";

/** What everything but cells looks like in one patient's section. */
export interface TissueLook {
  /** Fineness of the fibres, relative to an ordinary section. */
  fibreFineness: number;
  /** Optical densities of dense stroma and of cytoplasm. */
  stromaEosin: number;
  cytoplasmEosin: number;
  cytoplasmHaematoxylin: number;
  /** How readily cutting tore the stroma, 0..1. */
  tears: number;
}

/** The look of one image: its patient's, at a place of its own in the noise. */
export interface Ground extends TissueLook {
  noise: NoiseTiles;
  /** Where this image reads the noise tiles. */
  x: number;
  y: number;
}

/** Draws a patient's tissue at random. */
export function drawTissueLook(random: Random): TissueLook {
  return {
    fibreFineness: 0.7 + 0.9 * random.next(),
    stromaEosin: 0.22 + 0.2 * random.next(),
    cytoplasmEosin: 0.2 + 0.2 * random.next(),
    cytoplasmHaematoxylin: 0.08 + 0.17 * random.next(),
    tears: 0.6 * random.next(),
  };
}

/**
 * A coordinate across the fibres: it is constant along each of them.
 *
 * Fibres follow one direction, are bent by noise, and wrap around the epithelium.
 */
export function acrossFibres(
  ground: Ground,
  fibreAngle: number,
  x: number,
  y: number,
  depth: number,
): number {
  const straight = y * Math.cos(fibreAngle) - x * Math.sin(fibreAngle);
  const bend = 34 * sampleNoise(ground.noise.cloud, x * 0.22 + ground.x, y * 0.22 + ground.y);
  return straight + bend + 1.4 * Math.max(-60, Math.min(0, depth));
}

/** One place and what is painted there. One object serves all: millions of small ones would have to be collected. */
interface Place {
  /** Reference pixels. */
  x: number;
  y: number;
  /** In the epithelium, as in the depth field. */
  depth: number;
  /** Fine noise. */
  rough: number;
  haematoxylin: number;
  eosin: number;
}

/** Sets the dyes of a place. */
type Painter = (place: Place) => void;

/**
 * Paints stroma, epithelium's cytoplasm, lumens and mucin over the whole section.
 *
 * Which is where comes from the depth field; how each looks, from noise: stroma is fibres with tears between them
 * or a loose myxoid web, cytoplasm is granular, lumens are nearly empty, mucin is pale with bluish wisps.
 */
export function paintGround(section: Section, architecture: Architecture, ground: Ground): void {
  const { width, height, scale, haematoxylin, eosin } = section;
  const [noiseAt, step, fieldAt] = localNames();
  const paintStroma = stromaPainter(architecture, ground);
  const paintEpithelium = epitheliumPainter(architecture, ground);
  const { grain } = ground.noise;
  const place: Place = { x: 0, y: 0, depth: 0, rough: 0, haematoxylin: 0, eosin: 0 };
  for (let row = 0, i = 0; row < height; row++) {
    for (let column = 0; column < width; column++, i++) {
      place.x = column / scale;
      place.y = row / scale;
      place.rough = noiseAt(grain, place.x * 0.8 + ground.y, place.y * 0.8 + ground.x);
      place.depth = fieldAt(architecture.depth, place.x, place.y) + 1.2 * place.rough;
      const inside = step(-1.5, 1.5, place.depth);
      if (inside < 1) paintStroma(place);
      const outerHaematoxylin = place.haematoxylin;
      const outerEosin = place.eosin;
      if (inside > 0) paintEpithelium(place);
      if (inside > 0 && inside < 1) mix(place, outerHaematoxylin, outerEosin, 1 - inside);
      haematoxylin[i] = Math.max(0, place.haematoxylin);
      eosin[i] = Math.max(0, place.eosin);
    }
  }
}

/** Moves a colour towards another by a share of 0..1. */
function mix(place: Place, haematoxylin: number, eosin: number, share: number): void {
  place.haematoxylin += share * (haematoxylin - place.haematoxylin);
  place.eosin += share * (eosin - place.eosin);
}

/** Called millions of times: a local name spares the look-up in another module's exports at each call. */
function localNames() {
  return [sampleNoise, smoothStep, sampleField] as const;
}

function stromaPainter(architecture: Architecture, ground: Ground): Painter {
  const [noiseAt, step] = localNames();
  const { cloud, grain } = ground.noise;
  const { epithelium, fibreAngle, mucin, retraction } = architecture;
  const cos = Math.cos(fibreAngle);
  const sin = Math.sin(fibreAngle);
  // Thresholds on noise of standard deviation 1 that leave about these shares above them.
  const mucinLevel = 1.3 - 2.6 * mucin;
  const myxoidLevel = 1.4 - 2.8 * architecture.myxoid;
  const membraneEosin = epithelium < SOLID ? 0.1 * (1 - retraction) : 0;
  return (place) => {
    const { x, y, depth, rough } = place;
    const along = (x * cos + y * sin) * 0.3 * ground.fibreFineness;
    const across = acrossFibres(ground, fibreAngle, x, y, depth) * ground.fibreFineness;
    const broad = noiseAt(cloud, x * 0.28 + ground.y, y * 0.28 + ground.x);
    const fibre = noiseAt(cloud, along + ground.x, across * 1.7);
    const fibril = noiseAt(grain, along * 0.45 + ground.y, across * 0.75);
    const bundle = noiseAt(cloud, along * 0.5 + ground.y, across * 0.55 + 77);
    const tear = step(1.1, 2, bundle + 0.5 * fibre + ground.tears - 0.2);
    const density = 1 + 0.22 * fibre + 0.16 * bundle + 0.15 * fibril + 0.06 * rough;
    place.eosin = ground.stromaEosin * density * (1 - 0.93 * tear);
    place.haematoxylin = 0.07 * (1 + 0.3 * fibre) * (1 - 0.9 * tear);
    const loose = step(myxoidLevel - 0.5, myxoidLevel + 0.9, broad);
    if (loose > 0) {
      const web = Math.abs(noiseAt(cloud, x * 0.9 + ground.x, y * 0.9 + across * 0.2));
      const strand = 0.6 * step(0.9, 0, web) + 0.22 * rough + 0.25 * fibre;
      mix(place, 0.06 + 0.07 * strand, 0.07 + 0.1 * strand, 0.9 * loose);
    }
    if (mucin > 0) {
      const pool = step(mucinLevel - 0.12, mucinLevel + 0.12, bundle * 0.45 + broad * 0.9);
      const wisp = step(0.9, 0, Math.abs(noiseAt(cloud, x * 0.35 + ground.y, across * 0.5)));
      mix(place, 0.05 + 0.07 * wisp + 0.01 * rough, 0.015 + 0.025 * wisp, pool);
    }
    if (depth > -14 && retraction > 0) {
      mix(place, 0, 0, 0.9 * step(-9, -3, depth) * step(0.5, -0.3, broad + 1.2 - 2 * retraction));
    }
    place.eosin += membraneEosin * step(-5, -2.5, depth);
  };
}

function epitheliumPainter(architecture: Architecture, ground: Ground): Painter {
  const [noiseAt, step] = localNames();
  const { cloud } = ground.noise;
  const { epithelium } = architecture;
  return (place) => {
    const { x, y, depth, rough } = place;
    const mottle = noiseAt(cloud, x * 0.7 + ground.x, y * 0.7 + ground.y);
    const apical = step(epithelium - 12, epithelium - 3, depth);
    place.eosin = ground.cytoplasmEosin * (1 + 0.14 * mottle + 0.16 * rough + 0.35 * apical);
    place.haematoxylin = ground.cytoplasmHaematoxylin * (1 + 0.16 * mottle + 0.16 * rough);
    const open = step(epithelium - 2, epithelium + 3, depth + 2.5 * rough);
    const secretion = 0.035 * step(0.4, 2.2, mottle);
    if (open > 0) mix(place, 0.008 + 0.3 * secretion, 0.015 + secretion, open);
  };
}

/** A lobule of fat: large, empty, thin-walled cells pressed against each other, where the stroma has room. */
export function paintFat(section: Section, architecture: Architecture, random: Random): void {
  const height = section.height / section.scale;
  const centre = { x: REFERENCE_WIDTH * random.next(), y: height * random.next() };
  for (let i = 0; i < 5; i++) {
    const radius = 38 + 30 * random.next();
    const turn = i * 2.4;
    const away = i === 0 ? 0 : 88;
    const x = centre.x + away * Math.cos(turn);
    const y = centre.y + away * Math.sin(turn);
    if (sampleField(architecture.depth, x, y) < -0.9 * radius) paintFatCell(section, x, y, radius, random);
  }
}

function paintFatCell(section: Section, x: number, y: number, radius: number, random: Random): void {
  const { haematoxylin, eosin } = section;
  const phase = 2 * Math.PI * random.next();
  const flatness = 0.12 * random.next();
  forEachPixelAround(section, x, y, radius * 1.2, (i, dx, dy) => {
    const angle = Math.atan2(dy, dx);
    const outline = 1 + flatness * Math.cos(2 * angle + phase) + 0.03 * Math.cos(3 * angle - phase);
    const inside = radius * outline - Math.sqrt(dx * dx + dy * dy);
    if (inside <= -2) return;
    const wall = smoothStep(-2, 0.5, inside) * smoothStep(4.5, 2, inside);
    const empty = smoothStep(0, 2, inside);
    eosin[i] = eosin[i]! * (1 - empty) + 0.012 + 0.2 * wall;
    haematoxylin[i] = haematoxylin[i]! * (1 - empty) + 0.006 + 0.05 * wall;
  });
}
