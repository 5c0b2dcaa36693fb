import type { Random } from "../../runtime/random";

/** Side of a noise tile; a power of two, so that wrapping around is a bit mask. */
const SIZE = 512;
const MASK = SIZE - 1;
const SHIFT = Math.log2(SIZE);

/** Two tileable textures, each with mean 0 and standard deviation 1: soft clouds and fine grain. */
export interface NoiseTiles {
  cloud: Float32Array;
  grain: Float32Array;
  /** White noise, for the camera. */
  white: Float32Array;
}

/**
 * Makes the noise textures that all images of one demo set sample at different places.
 *
 * @returns Tiles of 512 × 512; reading them is many times cheaper than computing noise for each pixel.
 */
export function makeNoiseTiles(random: Random): NoiseTiles {
  const white = new Float32Array(SIZE * SIZE);
  const whiteRandom = random.fork("white");
  for (let i = 0; i < white.length; i++) white[i] = whiteRandom.normal();
  return {
    cloud: fractalTile(random.fork("cloud"), [8, 16, 32, 64, 128], 0.55),
    grain: fractalTile(random.fork("grain"), [64, 128, 256], 0.8),
    white,
  };
}

/**
 * Reads a tile between its pixels (bilinear), wrapping around at its edges.
 *
 * @example
 * sampleNoise(tile, 0, 0) === sampleNoise(tile, 512, -512); // true
 */
export function sampleNoise(tile: Float32Array, x: number, y: number): number {
  const column = Math.floor(x);
  const row = Math.floor(y);
  const across = x - column;
  const down = y - row;
  const left = column & MASK;
  const right = (column + 1) & MASK;
  const top = (row & MASK) << SHIFT;
  const bottom = ((row + 1) & MASK) << SHIFT;
  const upper = tile[top | left]! * (1 - across) + tile[top | right]! * across;
  const lower = tile[bottom | left]! * (1 - across) + tile[bottom | right]! * across;
  return upper * (1 - down) + lower * down;
}

/** 0 below `from`, 1 above `to`, an S-curve between; `from` may be the larger one. */
export function smoothStep(from: number, to: number, value: number): number {
  const t = (value - from) / (to - from);
  if (t <= 0) return 0;
  if (t >= 1) return 1;
  return t * t * (3 - 2 * t);
}

function fractalTile(random: Random, lattices: readonly number[], gain: number): Float32Array {
  const tile = new Float32Array(SIZE * SIZE);
  let amplitude = 1;
  for (const lattice of lattices) {
    addOctave(tile, random, lattice, amplitude);
    amplitude *= gain;
  }
  return standardise(tile);
}

function addOctave(tile: Float32Array, random: Random, lattice: number, amplitude: number): void {
  const knots = Float32Array.from({ length: lattice * lattice }, () => random.normal());
  const cell = SIZE / lattice;
  for (let y = 0; y < SIZE; y++) {
    const row = Math.floor(y / cell);
    const down = smoothStep(0, 1, y / cell - row);
    const top = row * lattice;
    const bottom = ((row + 1) % lattice) * lattice;
    for (let x = 0; x < SIZE; x++) {
      const column = Math.floor(x / cell);
      const across = smoothStep(0, 1, x / cell - column);
      const next = (column + 1) % lattice;
      const upper = knots[top + column]! * (1 - across) + knots[top + next]! * across;
      const lower = knots[bottom + column]! * (1 - across) + knots[bottom + next]! * across;
      tile[y * SIZE + x]! += amplitude * (upper * (1 - down) + lower * down);
    }
  }
}

function standardise(values: Float32Array): Float32Array {
  let sum = 0;
  let squares = 0;
  for (const value of values) {
    sum += value;
    squares += value * value;
  }
  const mean = sum / values.length;
  const deviation = Math.sqrt(squares / values.length - mean * mean);
  return values.map((value) => (value - mean) / deviation);
}
