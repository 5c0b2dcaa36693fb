import type { NativeId } from "./native-backend";
import {
  createNativeVariable,
  flagAttribute,
  type NativeScope,
  type NativeVariable,
  typeAttribute,
  withNativeScope,
} from "./native-ops";
import { tf } from "./tensorflow";

// Kingma and Ba, ICLR 2015, with the values and the place of epsilon that Keras uses.
export const firstMomentDecay = 0.9;
export const secondMomentDecay = 0.999;
export const epsilon = 1e-7;

/** Adam's memory of some variables. */
export interface NativeAdam {
  /**
   * Changes the variables in place by one step, as `keras.optimizers.Adam` does.
   *
   * @param gradients - One a variable, of its shape; the caller disposes.
   */
  apply(gradients: readonly tf.Tensor[], learningRate: number): void;
  /** Frees the moments; the variables stay the caller's. */
  dispose(): void;
}

function createZeros(shape: readonly number[]): NativeVariable {
  const zeros = tf.zeros([...shape]);
  try {
    return createNativeVariable(zeros);
  } finally {
    zeros.dispose();
  }
}

/** Creates all or, when one fails, none. */
function createMoments(variables: readonly NativeVariable[]): NativeVariable[] {
  const moments: NativeVariable[] = [];
  try {
    for (const { shape } of variables) moments.push(createZeros(shape));
  } catch (error) {
    for (const moment of moments) moment.dispose();
    throw error;
  }
  return moments;
}

/** Numbers as inputs of an operation. */
function withScalars<T>(numbers: readonly number[], work: (scope: NativeScope, ids: NativeId[]) => T): T {
  const scalars = numbers.map((number) => tf.scalar(number));
  try {
    return withNativeScope((scope) => work(scope, scalars.map(scope.input)));
  } finally {
    tf.dispose(scalars);
  }
}

/**
 * Prepares Adam for variables: TensorFlow's own operation, one pass over memory instead of a dozen.
 *
 * Several of them, each with its share of a network's variables, make learning rates by layer.
 */
export function createNativeAdam(variables: readonly NativeVariable[]): NativeAdam {
  const firstMoments = createMoments(variables);
  let secondMoments: NativeVariable[] = [];
  const attributes = [typeAttribute("T"), flagAttribute("use_locking", false)];
  let steps = 0;

  function dispose(): void {
    for (const moment of [...firstMoments, ...secondMoments]) moment.dispose();
  }

  function apply(gradients: readonly tf.Tensor[], learningRate: number): void {
    if (gradients.length !== variables.length) {
      throw new RangeError(`Expected ${variables.length} gradients, found ${gradients.length}.`);
    }
    steps++;
    const numbers = [
      firstMomentDecay ** steps,
      secondMomentDecay ** steps,
      learningRate,
      firstMomentDecay,
      secondMomentDecay,
      epsilon,
    ];
    withScalars(numbers, (scope, scalars) => {
      variables.forEach((variable, i) => {
        const state = [variable.handle(), firstMoments[i]!.handle(), secondMoments[i]!.handle()];
        const inputs = [...state, ...scalars, scope.input(gradients[i]!)];
        scope.runAll("ResourceApplyAdam", attributes, inputs, 0);
      });
    });
  }

  try {
    secondMoments = createMoments(variables);
  } catch (error) {
    dispose();
    throw error;
  }
  return { apply, dispose };
}
