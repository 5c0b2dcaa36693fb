import { groupJoined, groupRows } from "../../runtime/group-by";

/**
 * Images whose likenesses differ in at most this many bits count as near duplicates.
 *
 * Measured: of BreaKHis and IDC images compressed to JPEG (quality 75), halved, blurred or darkened, 99 of 100 differ
 * from the original in at most 6 bits; of the 9.8 million pairs of 4,430 IDC patches, none does in less than 8.
 */
export const nearDuplicateBits = 6;

const bands = 4;
const bandBits = 16;
const bandValues = 1 << bandBits;
/** With 6 differing bits in 4 bands, one band has at most 1: so these changes of a band find every near duplicate. */
const probes = [0, ...Array.from({ length: bandBits }, (_, bit) => 1 << bit)];

function bitsIn(value: number): number {
  let rest = value - ((value >>> 1) & 0x55555555);
  rest = (rest & 0x33333333) + ((rest >>> 2) & 0x33333333);
  return (((rest + (rest >>> 4)) & 0x0f0f0f0f) * 0x01010101) >>> 24;
}

/** Number of bits in which two likenesses of 16 hexadecimal digits differ. */
export function differingBits(one: string, other: string): number {
  const part = (text: string, from: number) => Number.parseInt(text.slice(from, from + 8), 16);
  return bitsIn(part(one, 0) ^ part(other, 0)) + bitsIn(part(one, 8) ^ part(other, 8));
}

/** For each value of a band, the hashes that have it: `order` from `starts[value]` to `starts[value + 1]`. */
function indexBand(values: Uint16Array): { order: Int32Array; starts: Int32Array } {
  const starts = new Int32Array(bandValues + 1);
  for (const value of values) starts[value + 1]!++;
  for (let value = 0; value < bandValues; value++) starts[value + 1]! += starts[value]!;
  const order = new Int32Array(values.length);
  const next = starts.slice(0, bandValues);
  for (let index = 0; index < values.length; index++) order[next[values[index]!]!++] = index;
  return { order, starts };
}

/**
 * Groups likenesses that differ in at most `nearDuplicateBits`, directly or through others.
 *
 * Each is looked up by its four 16-bit bands and by those with one bit changed, so the time grows with the number of
 * images and of likely candidates, not of pairs (multi-index hashing: M. Norouzi, A. Punjani, D. J. Fleet, CVPR 2012).
 *
 * @param hashes - 16 hexadecimal digits each; null is like nothing.
 * @returns Groups of at least two indices into `hashes`, ascending, in order of their first.
 */
export function groupNearDuplicates(hashes: readonly (string | null)[]): number[][] {
  const withHash = groupRows(hashes, (hash) => hash);
  const distinct = [...withHash.keys()];
  return groupJoined(distinct.length, (join) => eachNearPair(distinct, join))
    .map((group) => group.flatMap((index) => withHash.get(distinct[index]!)!))
    .filter((group) => group.length > 1)
    .map((group) => group.sort((one, other) => one - other))
    .sort((one, other) => one[0]! - other[0]!);
}

function eachNearPair(hashes: readonly string[], found: (one: number, other: number) => void): void {
  const high = Int32Array.from(hashes, (hash) => Number.parseInt(hash.slice(0, 8), 16) | 0);
  const low = Int32Array.from(hashes, (hash) => Number.parseInt(hash.slice(8), 16) | 0);
  for (let band = 0; band < bands; band++) {
    const values = Uint16Array.from(hashes, (hash) =>
      Number.parseInt(hash.slice(4 * band, 4 * band + 4), 16),
    );
    const { order, starts } = indexBand(values);
    for (let index = 0; index < hashes.length; index++) {
      for (const probe of probes) {
        const value = values[index]! ^ probe;
        for (let place = starts[value]!; place < starts[value + 1]!; place++) {
          const other = order[place]!;
          if (other >= index) break; // Ascending within a value, and each pair is looked at once.
          const bits = bitsIn(high[index]! ^ high[other]!) + bitsIn(low[index]! ^ low[other]!);
          if (bits <= nearDuplicateBits) found(index, other);
        }
      }
    }
  }
}
