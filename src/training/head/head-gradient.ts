import { headLogits } from "../../model/classifier/head";
import { typeAttribute, withNativeScope } from "../../runtime/native/native-ops";
import { createTape } from "../../runtime/native/native-tape";
import { tf } from "../../runtime/tensorflow";
import { headOnTape, weightedCrossEntropy } from "./head-tape";

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

/**
 * The same gradients as `differentiateHead`, for dense layers with ReLU and dropout, by a tape on TensorFlow's own
 * operations: far fewer of them, and no bookkeeping between them.
 */
export function computeHeadGradients(
  weights: readonly tf.Tensor[],
  batch: TrainingBatch,
  l2: number,
): HeadGradients {
  const twiceL2 = tf.scalar(2 * l2);
  try {
    return withNativeScope((scope) => {
      const tape = createTape(scope);
      const leaves = weights.map((weight) => tape.leaf(scope.input(weight), true));
      const features = tape.leaf(scope.input(batch.features), false);
      const logits = headOnTape(tape, leaves, features, batch.masks.map(scope.input));
      const [labels, shares] = [scope.input(batch.labels), scope.input(batch.shares)];
      const { losses, slope } = weightedCrossEntropy(scope, logits.id, labels, shares);
      const slopes = tape.backward(logits, slope);
      const type = [typeAttribute("T")];
      const gradients = leaves.map((leaf, i) => {
        const own = slopes.get(leaf)!;
        if (l2 === 0 || i % 2 === 1) return own;
        return scope.run("AddV2", type, [own, scope.run("Mul", type, [leaf.id, scope.input(twiceL2)])]);
      });
      return {
        crossEntropies: scope.toTensor(losses) as tf.Tensor1D,
        gradients: gradients.map(scope.toTensor),
      };
    });
  } finally {
    twiceL2.dispose();
  }
}
