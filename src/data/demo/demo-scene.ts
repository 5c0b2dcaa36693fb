import type { Random } from "../../runtime/random";
import type { Architecture } from "./demo-architecture";
import type { Section } from "./demo-section";
import type { Ground } from "./demo-tissue";

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

/** All that is needed to put cells into one image. */
export interface Scene {
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

/** Places that are taken, so that cells don't lie on top of each other. */
export interface Crowd {
  /** Takes the place if no earlier spot overlaps it; tells whether it did. */
  claim(x: number, y: number, radius: number): boolean;
}

/** Keeps spots apart; a grid of buckets wider than any spot makes each question cheap. */
export function crowd(): Crowd {
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
