import type { NativeId } from "../../runtime/native/native-backend";
import { type NativeScope, typeAttribute } from "../../runtime/native/native-ops";
import type { Tape, TapeValue } from "../../runtime/native/native-tape";

/**
 * A head on a tape: dense layers, with ReLU and masks between them.
 *
 * @param weights - Kernel and bias of each layer in turn.
 * @param masks - What the output of each hidden layer is multiplied with; none without dropout.
 * @returns Logits of shape [n, classes].
 */
export function headOnTape(
  tape: Tape,
  weights: readonly TapeValue[],
  features: TapeValue,
  masks: readonly NativeId[],
): TapeValue {
  const layers = weights.length / 2;
  let value = features;
  for (let layer = 0; layer < layers; layer++) {
    const mask = masks[layer];
    value = tape.dense(value, weights[2 * layer]!, weights[2 * layer + 1]!, {
      relu: layer < layers - 1,
      ...(mask === undefined ? {} : { mask }),
    });
  }
  return value;
}

/** Each image's cross-entropy, and the slope at the logits of their sum, weighed by shares. */
export function weightedCrossEntropy(
  scope: NativeScope,
  logits: NativeId,
  labels: NativeId,
  shares: NativeId,
): { losses: NativeId; slope: NativeId } {
  const attributes = [typeAttribute("T"), typeAttribute("Tlabels", "int32")];
  const inputs = [logits, labels];
  const [losses, slope] = scope.runAll("SparseSoftmaxCrossEntropyWithLogits", attributes, inputs, 2);
  const shared = scope.run("Mul", [typeAttribute("T")], [slope!, shares]);
  scope.free(slope!);
  return { losses: losses!, slope: shared };
}
