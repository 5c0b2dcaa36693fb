import { createRandom } from "../../../src/runtime/random";

/**
 * Draws waves of colour with noise: to a network pure noise would look the same everywhere, while these tell left
 * from right, up from down and one colour from another.
 *
 * @returns Shape [count, size, size, 3], the same for the same arguments.
 */
export function drawImages(count: number, size: number): Uint8Array {
  const random = createRandom(size);
  const imageLength = size * size * 3;
  const pixels = new Uint8Array(count * imageLength);
  for (let image = 0; image < count; image++) {
    const waves = Array.from({ length: 9 }, () => random.next() * 0.2);
    for (let index = 0; index < imageLength; index++) {
      const channel = index % 3;
      const x = Math.floor(index / 3) % size;
      const y = Math.floor(index / 3 / size);
      const noise = 2 * waves[channel + 6]! * random.next();
      const wave = Math.sin(x * waves[channel]!) + Math.cos(y * waves[channel + 3]!) + noise;
      pixels[image * imageLength + index] = Math.round(127.5 + 50 * wave);
    }
  }
  return pixels;
}
