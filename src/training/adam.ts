// Kingma and Ba, ICLR 2015, with the values and the place of epsilon that Keras uses.
const firstMomentDecay = 0.9;
const secondMomentDecay = 0.999;
const epsilon = 1e-7;

// Moments of features that are always 0 decay for ever; numbers this small are slow and change nothing.
const negligible = 1e-30;

/** Adam's memory of one array of parameters. */
export interface AdamState {
  firstMoment: Float32Array;
  secondMoment: Float32Array;
}

/** A fresh memory for this many parameters. */
export function createAdamState(length: number): AdamState {
  return { firstMoment: new Float32Array(length), secondMoment: new Float32Array(length) };
}

/**
 * Changes parameters in place by one step of Adam, as `keras.optimizers.Adam` does.
 *
 * Written out over arrays rather than as tensor operations: one pass over memory instead of a dozen.
 *
 * @param parameters - Shape [n]; changed.
 * @param gradient - Shape [n].
 * @param state - Changed.
 * @param step - Number of this step, from 1 on.
 */
export function adamStep(
  parameters: Float32Array,
  gradient: Float32Array,
  state: AdamState,
  step: number,
  learningRate: number,
): void {
  const { firstMoment, secondMoment } = state;
  const rate = (learningRate * Math.sqrt(1 - secondMomentDecay ** step)) / (1 - firstMomentDecay ** step);
  for (let i = 0; i < parameters.length; i++) {
    const slope = gradient[i]!;
    const first = firstMoment[i]! + (slope - firstMoment[i]!) * (1 - firstMomentDecay);
    const second = secondMoment[i]! + (slope * slope - secondMoment[i]!) * (1 - secondMomentDecay);
    firstMoment[i] = Math.abs(first) < negligible ? 0 : first;
    secondMoment[i] = second < negligible ? 0 : second;
    parameters[i] = parameters[i]! - (rate * first) / (Math.sqrt(second) + epsilon);
  }
}
