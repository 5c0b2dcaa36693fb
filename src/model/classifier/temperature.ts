import { largest } from "../../runtime/many";

// Below the smallest positive float32 a softmax rounds to 0, whose logarithm would be infinite.
const smallestProbability = 2 ** -149;

/**
 * Softens (above 1) or sharpens (below 1) probabilities: softmax of the logarithms divided by the temperature, which
 * is softmax of the logits divided by it. The order of classes, and with it the most probable class, stays.
 *
 * Guo, Pleiss, Sun and Weinberger, On Calibration of Modern Neural Networks, ICML 2017, section 4.2.
 *
 * @param probabilities - Shape [classCount], from a softmax.
 * @param temperature - Above 0; 1 leaves them as they are, to the bit.
 * @throws RangeError if the temperature is not a positive number.
 *
 * @example
 * applyTemperature([0.2, 0.8], 0.5); // [0.058823529411764705, 0.9411764705882353]
 */
export function applyTemperature(probabilities: ArrayLike<number>, temperature: number): number[] {
  if (!(temperature > 0 && Number.isFinite(temperature))) {
    throw new RangeError(`A temperature is a positive number, found ${temperature}.`);
  }
  if (temperature === 1) return Array.from(probabilities);
  const highest = largest(probabilities);
  const powers = Array.from(probabilities, (probability) =>
    Math.exp((Math.log(Math.max(probability, smallestProbability)) - Math.log(highest)) / temperature),
  );
  const total = powers.reduce((sum, power) => sum + power, 0);
  return powers.map((power) => power / total);
}
