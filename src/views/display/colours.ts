/**
 * Colours that people with any kind of colour vision tell apart, and that show on light and dark backgrounds.
 *
 * After Okabe and Ito, "Color Universal Design" (2008), slightly lighter so that both themes keep a contrast of 3:1.
 */
const categories = ["#1f7fc4", "#d55e00", "#009e73", "#b0529b", "#a67c00", "#3aa0b8", "#7f7f7f"];

/** Colours of the parts of a split, never those of a class. */
export const partColours = { train: "#009e73", validation: "#b0529b", test: "#a67c00" } as const;

/** For lines that serve comparison: chance, the majority class, the best epoch. */
export const referenceColour = "#868686";

/** How a matrix is coloured by percentages, light where there are none. */
export const shareHeat: Record<string, unknown> = {
  zmin: 0,
  zmax: 100,
  colorscale: [
    [0, "#e8f0f7"],
    [1, "#12537f"],
  ],
  xgap: 2,
  ygap: 2,
};

/**
 * A colour for each class: blue for benign, vermilion for the positive (malignant) class, wherever they appear.
 *
 * @param positiveClass - Index of the class that is looked for, null where there is none.
 */
export function classColours(classes: readonly string[], positiveClass: number | null): string[] {
  if (positiveClass === null || classes.length !== 2) return classes.map((_, i) => categoryColour(i));
  return classes.map((_, i) => categoryColour(i === positiveClass ? 1 : 0));
}

/** The i-th colour of a list that starts again when it is used up. */
export function categoryColour(i: number): string {
  return categories[i % categories.length]!;
}

/** One of many hues, far apart from its neighbours; for patients, of whom there are more than nameable colours. */
export function hueColour(i: number): string {
  const goldenAngleDegrees = 137.508;
  return `hsl(${Math.round((i * goldenAngleDegrees) % 360)}, 70%, ${i % 2 === 0 ? 55 : 45}%)`;
}
