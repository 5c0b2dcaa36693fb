// On globalThis, so that it outlives a reload of edited sources in the kernel.
const memoryKey = Symbol.for("breakhis-lab.memory");

type Shelf = Map<string, unknown>;

function shelfOf(kind: string): Shelf {
  const holder = globalThis as unknown as Record<symbol, Map<string, Shelf> | undefined>;
  holder[memoryKey] ??= new Map();
  const shelves = holder[memoryKey];
  const known = shelves.get(kind);
  if (known !== undefined) return known;
  const added: Shelf = new Map();
  shelves.set(kind, added);
  return added;
}

/** How a kind of things is kept in memory. */
export interface MemoryOptions<T> {
  /** At most so many of the kind, or so much of it; those that were not asked for the longest are forgotten. */
  most: number;
  /** How much a thing counts, by default 1; the newest one is kept however large it is. */
  sizeOf?: (value: T) => number;
  /** False for what is not worth keeping, such as the half of something; by default everything is kept. */
  keep?: (value: T) => boolean;
}

/**
 * What was made of the same things before, from this process' memory, or else makes it and keeps it there.
 *
 * @param kind - Things of one kind share a limit.
 * @param key - Everything that the thing is made of: whatever it leaves out is taken to be the same.
 *
 * @example
 * await remember("sums", "2 + 2", { most: 10 }, async () => 2 + 2); // 4
 */
export async function remember<T>(
  kind: string,
  key: string,
  options: MemoryOptions<T>,
  make: () => Promise<T>,
): Promise<T> {
  const shelf = shelfOf(kind);
  const known = shelf.has(key);
  const value = known ? (shelf.get(key) as T) : await make();
  if (!known && options.keep?.(value) === false) return value;
  // A map holds its keys in the order in which they were set: the newest last.
  shelf.delete(key);
  shelf.set(key, value);
  forgetOldest(shelf as Map<string, T>, options);
  return value;
}

function forgetOldest<T>(shelf: Map<string, T>, { most, sizeOf = () => 1 }: MemoryOptions<T>): void {
  let sum = [...shelf.values()].reduce((total, value) => total + sizeOf(value), 0);
  for (const [key, value] of shelf) {
    if (sum <= most || shelf.size === 1) return;
    shelf.delete(key);
    sum -= sizeOf(value);
  }
}
