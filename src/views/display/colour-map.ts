type Rgb = [number, number, number];

/**
 * Viridis at 17 equal steps, dark blue to yellow: perceptually uniform, the same order in grey and for people
 * with any colour vision.
 *
 * By van der Walt and Smith for matplotlib (CC0), 2015; these steps as in plotly.js.
 */
const viridisSteps: readonly string[] = [
  "#440154",
  "#48186a",
  "#472d7b",
  "#424086",
  "#3b528b",
  "#33638d",
  "#2c728e",
  "#26828e",
  "#21918c",
  "#1fa088",
  "#28ae80",
  "#3fbc73",
  "#5ec962",
  "#84d44b",
  "#addc30",
  "#d8e219",
  "#fde725",
];

const parseHex = (colour: string): Rgb => [
  Number.parseInt(colour.slice(1, 3), 16),
  Number.parseInt(colour.slice(3, 5), 16),
  Number.parseInt(colour.slice(5, 7), 16),
];

const steps = viridisSteps.map(parseHex);

/**
 * The colour of a value, viridis between the table's steps straight.
 *
 * @param value - In [0, 1]; beyond it the end's colour.
 * @returns Red, green and blue, 0..255, unrounded.
 *
 * @example
 * viridis(0); // [68, 1, 84]
 */
export function viridis(value: number): Rgb {
  const position = Math.min(1, Math.max(0, value)) * (steps.length - 1);
  const before = Math.min(steps.length - 2, Math.floor(position));
  const share = position - before;
  const [a, b] = [steps[before]!, steps[before + 1]!];
  return [a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1]), a[2] + share * (b[2] - a[2])];
}

/** A CSS gradient from 0 on the left to 1 on the right, for a legend. */
export const viridisGradient: string = `linear-gradient(to right, ${viridisSteps.join(", ")})`;
