import { tf } from "../tensorflow";
import { flagAttribute, type NativeScope, typeAttribute, withNativeScope } from "./native-ops";

/** The largest number that half precision can hold (IEEE 754, binary16). */
export const largestFloat16 = 65504;

/** Relative error of rounding to half precision, of numbers from `smallestNormalFloat16` on: half a unit of 11 bits. */
export const float16RelativeError: number = 2 ** -11;

/** Below it half precision has fewer bits, and the error is at most 2⁻²⁵, whatever the number. */
export const smallestNormalFloat16: number = 2 ** -14;

const cast = (scope: NativeScope, value: number, from: "float32" | "float16", to: "float32" | "float16") =>
  scope.run(
    "Cast",
    [typeAttribute("SrcT", from), typeAttribute("DstT", to), flagAttribute("Truncate", false)],
    [value],
  );

/**
 * Rounds numbers to half precision, to nearest and ties to even: half the memory for an error of at most 2⁻¹¹ of each
 * number, or 2⁻²⁵ where it is smaller than 2⁻¹⁴.
 *
 * @param values - An even number of them, float32.
 * @returns Two bytes a number, in the machine's order of bytes.
 * @throws RangeError if a number is not finite or larger than half precision can hold.
 */
export function encodeFloat16(values: tf.Tensor): Uint8Array {
  const largest = tf.tidy(() => tf.max(tf.abs(values)).dataSync()[0]!);
  // Not finite numbers are no less than it either.
  if (!(largest <= largestFloat16)) {
    throw new RangeError(`Half precision holds numbers up to ${largestFloat16}, found ${largest}.`);
  }
  const pairs = tf.tensor1d([values.size / 2, 2], "int32");
  try {
    // TensorFlow.js knows no half precision: two numbers travel as the bits of one whole number.
    const packed = withNativeScope((scope) => {
      const half = cast(scope, scope.input(values), "float32", "float16");
      const attributes = [typeAttribute("T", "float16"), typeAttribute("Tshape", "int32")];
      const paired = scope.run("Reshape", attributes, [half, scope.input(pairs)]);
      const types = [typeAttribute("T", "float16"), typeAttribute("type", "int32")];
      return scope.toTensor(scope.run("Bitcast", types, [paired]));
    });
    const bits = packed.dataSync<"int32">();
    packed.dispose();
    return new Uint8Array(bits.buffer, bits.byteOffset, bits.byteLength);
  } finally {
    pairs.dispose();
  }
}

/**
 * Reads what `encodeFloat16` gave, without further rounding.
 *
 * @param bytes - Two a number.
 * @returns float32; the caller disposes.
 * @throws RangeError if the bytes don't fill the shape.
 */
export function decodeFloat16(bytes: Uint8Array, shape: readonly number[]): tf.Tensor {
  const count = shape.reduce((product, size) => product * size, 1);
  if (bytes.length !== 2 * count) {
    throw new RangeError(
      `Numbers of shape [${shape.join(", ")}] are ${2 * count} bytes, found ${bytes.length}.`,
    );
  }
  // Copied where they don't start at a multiple of four bytes.
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  const bits = new Int32Array(aligned.buffer, aligned.byteOffset, count / 2);
  const packed = tf.tensor1d(bits, "int32");
  const values = withNativeScope((scope) => {
    const types = [typeAttribute("T", "int32"), typeAttribute("type", "float16")];
    const half = scope.run("Bitcast", types, [scope.input(packed)]);
    return scope.toTensor(cast(scope, half, "float16", "float32"));
  });
  packed.dispose();
  const shaped = tf.reshape(values, [...shape]);
  values.dispose();
  return shaped;
}
