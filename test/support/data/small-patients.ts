import { mkdirSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { createRandom } from "../../../src/runtime/random";

/**
 * Draws blots under BreaKHis names: malignant ones are a little bluer, and each patient has a tint of its own.
 *
 * @param options.patients - A class.
 * @param options.images - A patient.
 */
export async function drawPatients(
  folder: string,
  options: { patients: number; images: number; seed?: number },
): Promise<void> {
  const random = createRandom(options.seed ?? 1);
  for (const [label, [tumourClass, letter, subtype]] of [
    ["benign", "B", "A"],
    ["malignant", "M", "DC"],
  ].entries()) {
    mkdirSync(join(folder, tumourClass!), { recursive: true });
    for (let patient = 0; patient < options.patients; patient++) {
      const tint = Array.from({ length: 3 }, () => 150 + random.integer(60));
      for (let image = 1; image <= options.images; image++) {
        const shift = [-15 * label, 0, 15 * label];
        const pixels = Buffer.from(
          Array.from({ length: 8 * 8 * 3 }, (_, i) =>
            Math.max(0, Math.min(255, tint[i % 3]! + shift[i % 3]! + random.integer(90) - 45)),
          ),
        );
        const name = `SOB_${letter}_${subtype}-14-${1000 + 100 * label + patient}-400-${String(image).padStart(3, "0")}.png`;
        await sharp(pixels, { raw: { width: 8, height: 8, channels: 3 } })
          .resize(64, 64)
          .png()
          .toFile(join(folder, tumourClass!, name));
      }
    }
  }
}
