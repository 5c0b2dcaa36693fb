import type { Interval } from "../../scores/intervals/bootstrap";
import { roundTo } from "./figure";

/** A share in [0, 1] as a percentage with one decimal; null stays null. */
export function inPercent(share: number): number;
export function inPercent(share: number | null): number | null;
export function inPercent(share: number | null): number | null {
  return share === null ? null : roundTo(100 * share, 1);
}

/** Plotly's error bars of intervals, in percent; none where an interval is unknown. */
export function errorBars(
  intervals: readonly Pick<Interval, "value" | "low" | "high">[],
  width = 8,
): Record<string, unknown> {
  const reach = (from: number | null, to: number | null) =>
    from === null || to === null ? 0 : inPercent(Math.max(0, to - from));
  return {
    type: "data",
    symmetric: false,
    array: intervals.map(({ value, high }) => reach(value, high)),
    arrayminus: intervals.map(({ value, low }) => reach(low, value)),
    thickness: 2.5,
    width,
  };
}
