import { createHash } from "node:crypto";

/** A seeded source of random numbers: the same seed gives the same sequence on every machine. */
export interface Random {
  /** Uniform in [0, 1), 32 bits of resolution. */
  next(): number;
  /** Uniform integer in [0, bound). */
  integer(bound: number): number;
  /** Standard normal. */
  normal(): number;
  /** A shuffled copy. */
  shuffle<T>(items: readonly T[]): T[];
  /** An independent source that depends on this one's seed and the label only, not on what was drawn. */
  fork(label: string): Random;
  /** Where in its sequence it is. */
  position(): number;
  /** Goes on from where `position` was asked. */
  goTo(position: number): void;
}

/**
 * Creates a seeded source of random numbers (mulberry32, by Tommy Ettinger, public domain).
 *
 * @param seed - Any integer; its lowest 32 bits count.
 * @throws RangeError if the seed is not an integer.
 */
export function createRandom(seed: number): Random {
  if (!Number.isSafeInteger(seed)) throw new RangeError(`A seed must be an integer, found ${seed}.`);
  // Signed: V8 keeps such integers in a register, and would allocate a number for each unsigned one.
  let state = seed | 0;

  function next(): number {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  function integer(bound: number): number {
    if (!Number.isSafeInteger(bound) || bound < 1) {
      throw new RangeError(`The bound of a random integer must be a positive integer, found ${bound}.`);
    }
    return Math.floor(next() * bound);
  }

  function normal(): number {
    // Box–Muller; 1 - next() lies in (0, 1], so the logarithm is finite.
    return Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
  }

  function shuffle<T>(items: readonly T[]): T[] {
    const shuffled = [...items];
    for (let last = shuffled.length - 1; last > 0; last--) {
      const other = integer(last + 1);
      [shuffled[last], shuffled[other]] = [shuffled[other] as T, shuffled[last] as T];
    }
    return shuffled;
  }

  function fork(label: string): Random {
    return createRandom(createHash("sha256").update(`${seed}:${label}`).digest().readUInt32LE(0));
  }

  const position = () => state;
  const goTo = (to: number) => {
    state = to | 0;
  };

  return { next, integer, normal, shuffle, fork, position, goTo };
}
