import { referenceColour } from "./colours";
import type { Trace } from "./figure";

/** A dashed line to compare with, such as chance or the majority class. */
export function referenceLine(
  name: string,
  x: readonly (number | string)[],
  y: readonly (number | null)[],
): Trace {
  const line = { color: referenceColour, dash: "dash", width: 1.5 };
  return { type: "scatter", mode: "lines", name, x, y, line };
}
