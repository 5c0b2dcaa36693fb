import { indexOfLargest } from "../model/classifier/decision";

/** Minus the logarithm of the softmax at the true class, without overflow however large the logits. */
export function crossEntropy(logits: Float32Array, label: number): number {
  const largest = logits[indexOfLargest(logits)]!;
  const total = logits.reduce((sum, logit) => sum + Math.exp(logit - largest), 0);
  return Math.log(total) + largest - logits[label]!;
}

/** Row by row, without overflow however large the logits. */
export function softmax(logits: Float32Array, classCount: number): Float32Array {
  const probabilities = new Float32Array(logits.length);
  for (let start = 0; start < logits.length; start += classCount) {
    const row = logits.subarray(start, start + classCount);
    const largest = row[indexOfLargest(row)]!;
    const exponentials = Array.from(row, (logit) => Math.exp(logit - largest));
    const total = exponentials.reduce((sum, value) => sum + value, 0);
    exponentials.forEach((value, i) => {
      probabilities[start + i] = value / total;
    });
  }
  return probabilities;
}
