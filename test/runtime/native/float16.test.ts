import { describe, expect, it } from "vitest";
import {
  decodeFloat16,
  encodeFloat16,
  float16RelativeError,
  largestFloat16,
  smallestNormalFloat16,
} from "../../../src/runtime/native/float16";
import { countNativeValues } from "../../../src/runtime/native/native-backend";
import { createRandom } from "../../../src/runtime/random";
import { tf } from "../../../src/runtime/tensorflow";

function roundTrip(numbers: readonly number[] | Float32Array): Float32Array {
  const tensor = tf.tensor1d(numbers as number[], "float32");
  const decoded = decodeFloat16(encodeFloat16(tensor), [numbers.length]);
  const values = decoded.dataSync<"float32">().slice();
  tf.dispose([tensor, decoded]);
  return values;
}

/** What the bits of half precision mean, as IEEE 754 says. */
function meaning(bits: number): number {
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  const magnitude = exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15);
  return bits >> 15 === 0 ? magnitude : -magnitude;
}

describe("half precision", () => {
  it("keeps every one of its own numbers as it is, bit for bit", () => {
    const all = Array.from({ length: 1 << 16 }, (_, bits) => bits).filter((bits) => ((bits >> 10) & 31) < 31);
    const numbers = Float32Array.from(all, meaning);
    const tensor = tf.tensor1d(numbers);
    const bytes = encodeFloat16(tensor);
    const decoded = decodeFloat16(bytes, [all.length]);
    expect(new Uint16Array(bytes.slice().buffer)).toEqual(Uint16Array.from(all));
    expect(Buffer.compare(Buffer.from(decoded.dataSync().slice().buffer), Buffer.from(numbers.buffer))).toBe(
      0,
    );
    tf.dispose([tensor, decoded]);
  });

  it("is off by no more than it says, over its whole range", () => {
    const random = createRandom(3);
    const numbers = Float32Array.from({ length: 200_000 }, () => {
      const magnitude = 2 ** (-30 + 45.9 * random.next());
      return random.next() < 0.5 ? magnitude : -magnitude;
    });
    const rounded = roundTrip(numbers);
    let worst = 0;
    numbers.forEach((number, i) => {
      const error = Math.abs(rounded[i]! - number);
      const size = Math.abs(number);
      const bound = size < smallestNormalFloat16 ? 2 ** -25 : size * float16RelativeError;
      worst = Math.max(worst, error / bound);
    });
    expect(worst).toBeLessThanOrEqual(1);
    // The bound is no exaggeration either.
    expect(worst).toBeGreaterThan(0.9);
  });

  it("rounds what lies in the middle to the even neighbour", () => {
    expect([...roundTrip([1 + 2 ** -11, 1 + 3 * 2 ** -11, 2 ** -25, 3 * 2 ** -25])]).toEqual([
      1,
      1 + 2 ** -9,
      0,
      2 ** -23,
    ]);
  });

  it.each([70_000, Number.POSITIVE_INFINITY, Number.NaN, -1e30])("refuses %d", (number) => {
    const tensor = tf.tensor1d([1, number]);
    expect(() => encodeFloat16(tensor)).toThrow(`numbers up to ${largestFloat16}`);
    tensor.dispose();
  });

  it("refuses bytes that don't fill the shape", () => {
    expect(() => decodeFloat16(new Uint8Array(6), [2, 2])).toThrow("are 8 bytes, found 6");
  });

  it("leaves nothing behind", () => {
    roundTrip([1, 2, 3, 4]);
    const before = [tf.memory().numTensors, countNativeValues()];
    roundTrip([1, 2, 3, 4]);
    expect([tf.memory().numTensors, countNativeValues()]).toEqual(before);
  });
});
