import sharp from "sharp";
import type { DataSource } from "../../../src/data/fetch/sources";
import { createRandom } from "../../../src/runtime/random";
import type { TestMember } from "./archive-files";

/** What the small set holds, as a publisher would count it. */
export const smallCounts = { 40: { benign: 1, malignant: 2 }, 400: { benign: 3, malignant: 4 } };

/** Noise, which no compression makes smaller. */
function noisePng(seed: number): Promise<Buffer> {
  const random = createRandom(seed);
  const pixels = Uint8Array.from({ length: 48 * 32 * 3 }, () => random.integer(256));
  return sharp(pixels, { raw: { width: 48, height: 32, channels: 3 } })
    .png()
    .toBuffer();
}

/** Ten images under BreaKHis names and what archives hold besides, in a folder of their own. */
export async function smallMembers(): Promise<TestMember[]> {
  const members: TestMember[] = [];
  for (const [scale, counts] of Object.entries(smallCounts)) {
    for (const [tumourClass, count] of Object.entries(counts)) {
      const [letter, subtype] = tumourClass === "benign" ? ["B", "A"] : ["M", "DC"];
      for (let number = 1; number <= count; number++) {
        const name = `SOB_${letter}_${subtype}-14-2254${number}AB-${scale}-00${number}.png`;
        members.push({ name: `BreaKHis/${tumourClass}/${name}`, content: await noisePng(members.length) });
      }
    }
  }
  return [
    { name: "BreaKHis/README.txt", content: Buffer.from("about the set") },
    ...members,
    { name: "BreaKHis/.DS_Store", content: Buffer.from("clutter") },
    { name: "BreaKHis/count.py", content: Buffer.from("print()") },
  ];
}

/** The small set as a source at an address. */
export function smallSource(url: string, changes: Partial<DataSource> = {}): DataSource {
  return {
    name: "small",
    title: "the small set",
    url,
    expected: smallCounts,
    sha256: null,
    imageBytes: 1_000,
    help: "Ask whoever published it",
    ...changes,
  };
}
