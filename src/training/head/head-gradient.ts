import { headLogits } from "../../model/classifier/head";
import type { NativeId } from "../../runtime/native/native-backend";
import {
  flagAttribute,
  type NativeScope,
  typeAttribute,
  withNativeScope,
} from "../../runtime/native/native-ops";
import { tf } from "../../runtime/tensorflow";

/** Images that are learned from together. */
export interface TrainingBatch {
  /** Shape [n, width]. */
  features: tf.Tensor2D;
  /** Shape [n], class indices, int32. */
  labels: tf.Tensor1D;
  /** Shape [n, 1]: each image's factor in the loss; 1 / n where classes are not weighed. */
  shares: tf.Tensor2D;
  /** What the output of each hidden layer is multiplied with, shape [n, units]; empty without dropout. */
  masks: tf.Tensor2D[];
}

/** What a batch says about a head. */
export interface HeadGradients {
  /** Shape [n]: the cross-entropy of each image, not weighed, without the L2 penalty. */
  crossEntropies: tf.Tensor1D;
  /** Of each weight tensor, in the order of the weights. */
  gradients: tf.Tensor[];
}

/**
 * Differentiates the loss: the sum of the images' shares times their cross-entropies, plus `l2` times the sum
 * of squared kernels. The caller disposes what is returned.
 *
 * @param weights - Kernel and bias of each layer in turn, as `headTensors` gives them.
 */
export type GradientMethod = (
  weights: readonly tf.Tensor[],
  batch: TrainingBatch,
  l2: number,
) => HeadGradients;

/** Sum of squares. TensorFlow.js's own would fill further arrays as large as the kernel to differentiate it. */
function sumOfSquares(values: tf.Tensor): tf.Scalar {
  const operation = tf.customGrad((x, save) => {
    (save as tf.GradSaveFunc)([x as tf.Tensor]);
    const half = withNativeScope((scope) =>
      scope.toTensor(scope.run("L2Loss", [typeAttribute("T")], [scope.input(x as tf.Tensor)])),
    );
    return {
      value: tf.mul(half, 2),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => tf.mul(saved[0]!, tf.mul(dy, 2)),
    };
  });
  return operation(values) as tf.Scalar;
}

/**
 * Differentiates with TensorFlow.js: follows whatever `headLogits` computes, so it is the way for a head of
 * another kind, and what `computeHeadGradients` is tested against.
 */
export function differentiateHead(
  weights: readonly tf.Tensor[],
  batch: TrainingBatch,
  l2: number,
): HeadGradients {
  return tf.tidy(() => {
    const kept: tf.Tensor1D[] = [];
    const lossOf = (...parameters: tf.Tensor[]): tf.Scalar => {
      const logits = headLogits(parameters, batch.features, batch.masks);
      const truth = tf.oneHot(batch.labels, logits.shape[1]);
      // The differentiation below tidies up after itself, and would take these along.
      const crossEntropies = tf.keep(tf.neg(tf.sum<tf.Tensor1D>(tf.mul(truth, tf.logSoftmax(logits)), 1)));
      kept.push(crossEntropies);
      const loss = tf.sum(tf.mul(crossEntropies, tf.reshape(batch.shares, [-1])));
      if (l2 === 0) return loss as tf.Scalar;
      const kernels = parameters.filter((_, i) => i % 2 === 0);
      return tf.add(loss, tf.mul(tf.addN(kernels.map(sumOfSquares)), l2));
    };
    try {
      const { grads } = tf.valueAndGrads(lossOf)([...weights]);
      return { crossEntropies: kept[0]!, gradients: grads };
    } catch (error) {
      tf.dispose(kept);
      throw error;
    }
  });
}

/** The few operations that a head needs, on native values. */
function headOperations(scope: NativeScope) {
  const type = typeAttribute("T");
  const multiply = (a: NativeId, b: NativeId, transposeA: boolean, transposeB: boolean) => {
    const flags = [flagAttribute("transpose_a", transposeA), flagAttribute("transpose_b", transposeB)];
    return scope.run("MatMul", [type, ...flags], [a, b]);
  };
  return {
    multiply,
    addBias: (values: NativeId, bias: NativeId) => scope.run("BiasAdd", [type], [values, bias]),
    biasGradient: (slope: NativeId) => scope.run("BiasAddGrad", [type], [slope]),
    relu: (values: NativeId) => scope.run("Relu", [type], [values]),
    reluGradient: (slope: NativeId, output: NativeId) => scope.run("ReluGrad", [type], [slope, output]),
    times: (a: NativeId, b: NativeId) => scope.run("Mul", [type], [a, b]),
    plus: (a: NativeId, b: NativeId) => scope.run("AddV2", [type], [a, b]),
    crossEntropy(logits: NativeId, labels: NativeId) {
      const attributes = [type, typeAttribute("Tlabels", "int32")];
      const inputs = [logits, labels];
      const [losses, slope] = scope.runAll("SparseSoftmaxCrossEntropyWithLogits", attributes, inputs, 2);
      return { losses: losses!, slope: slope! };
    },
  };
}

type HeadOperations = ReturnType<typeof headOperations>;

/** What goes through a head: each layer's input, the features first, and the logits. */
interface Passage {
  inputs: NativeId[];
  logits: NativeId;
}

function passForward(
  op: HeadOperations,
  weights: NativeId[],
  features: NativeId,
  masks: NativeId[],
): Passage {
  const inputs = [features];
  for (let layer = 0; ; layer++) {
    const product = op.multiply(inputs[layer]!, weights[2 * layer]!, false, false);
    const sums = op.addBias(product, weights[2 * layer + 1]!);
    if (2 * layer + 2 === weights.length) return { inputs, logits: sums };
    const output = op.relu(sums);
    inputs.push(masks.length > 0 ? op.times(output, masks[layer]!) : output);
  }
}

/**
 * The same gradients as `differentiateHead`, written out by hand for dense layers with ReLU and dropout, on
 * TensorFlow's operations: far fewer of them, and no bookkeeping between them.
 */
export function computeHeadGradients(
  weights: readonly tf.Tensor[],
  batch: TrainingBatch,
  l2: number,
): HeadGradients {
  const twiceL2 = tf.scalar(2 * l2);
  try {
    return withNativeScope((scope) => {
      const op = headOperations(scope);
      const ids = weights.map(scope.input);
      const masks = batch.masks.map(scope.input);
      const { inputs, logits } = passForward(op, ids, scope.input(batch.features), masks);
      const { losses, slope: logitSlope } = op.crossEntropy(logits, scope.input(batch.labels));
      const gradients: NativeId[] = new Array(ids.length);
      let slope = op.times(logitSlope, scope.input(batch.shares));
      for (let layer = inputs.length - 1; ; layer--) {
        const kernel = ids[2 * layer]!;
        const product = op.multiply(inputs[layer]!, slope, true, false);
        gradients[2 * layer] = l2 > 0 ? op.plus(product, op.times(kernel, scope.input(twiceL2))) : product;
        gradients[2 * layer + 1] = op.biasGradient(slope);
        if (layer === 0) break;
        slope = op.multiply(slope, kernel, false, true);
        if (masks.length > 0) slope = op.times(slope, masks[layer - 1]!);
        // An output that was dropped is 0 like one that ReLU cut off, and its slope is 0 either way.
        slope = op.reluGradient(slope, inputs[layer]!);
      }
      return {
        crossEntropies: scope.toTensor(losses) as tf.Tensor1D,
        gradients: gradients.map(scope.toTensor),
      };
    });
  } finally {
    twiceL2.dispose();
  }
}
