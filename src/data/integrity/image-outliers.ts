import { groupRows } from "../../runtime/group-by";
import { mean } from "../../runtime/many";
import { median as medianOf } from "../../runtime/percentile";
import type { ImageRecord } from "../record";

/**
 * Robust z-score from which a colour counts as an outlier: what B. Iglewicz and D. C. Hoaglin (How to Detect and
 * Handle Outliers, 1993) recommend for the one below.
 */
export const outlyingScore = 3.5;

const consistency = 0.6745; // the median absolute deviation of a normal distribution, in standard deviations
const channelNames = ["red", "green", "blue"] as const;

/** An image whose mean colour is far from the data set's. */
export interface ColourOutlier {
  row: number;
  /** The channel that is furthest off. */
  channel: (typeof channelNames)[number];
  /** That channel's mean, 0..255, and the data set's median of it. */
  value: number;
  median: number;
  /** Robust z-score of that channel, signed. */
  score: number;
}

/**
 * Finds images whose mean red, green or blue is far from the others', the furthest first.
 *
 * Compared within the whole data set, not within a class: a class whose stain differs is itself something to see, and
 * is shown by the figures of colours. Where more than half of the images share a value, the mean absolute deviation
 * takes the place of the median one, which would be 0.
 */
export function findColourOutliers(records: readonly ImageRecord[]): ColourOutlier[] {
  const furthest: (ColourOutlier | null)[] = records.map(() => null);
  for (const [index, channel] of channelNames.entries()) {
    const values = records.map(({ meanColour }) => meanColour[index]!);
    const median = medianOf(values);
    const deviations = values.map((value) => Math.abs(value - median));
    const spread = medianOf(deviations) / consistency || mean(deviations) * 1.2533;
    if (!(spread > 0)) continue;
    for (const [row, value] of values.entries()) {
      const score = (value - median) / spread;
      if (Math.abs(score) > Math.max(outlyingScore, Math.abs(furthest[row]?.score ?? 0))) {
        furthest[row] = { row, channel, value, median, score };
      }
    }
  }
  const outliers = furthest.flatMap((outlier) => outlier ?? []);
  return outliers.sort((one, other) => Math.abs(other.score) - Math.abs(one.score) || one.row - other.row);
}

/** Rows of images by size, for every size but the most frequent one; the rarest first. */
export function findUnexpectedSizes(
  records: readonly ImageRecord[],
): { size: string; expected: string; rows: number[] }[] {
  const rowsOf = groupRows(records, ({ width, height }) => `${width} × ${height}`);
  const [most, ...others] = [...rowsOf].sort((one, other) => other[1].length - one[1].length);
  return others.reverse().map(([size, rows]) => ({ size, expected: most![0], rows }));
}
