// A process for the tests that kill one: loads everything, waits for a cache's folder, a data set's and the moment to
// halt at (see halt-at.cjs), one a line, says when it begins, and ends with a line that names what it computed.
import { createInterface } from "node:readline";
import { openDataset } from "../../../src/data/dataset";
import { extractFeatures } from "../../../src/model/features/features";
import { sha256 } from "../../../src/runtime/cache/content-hash";
import { meanColourBackbone } from "./mean-colour-backbone";
import { inMemory } from "./values-in-memory";

async function main(): Promise<void> {
  const backbone = meanColourBackbone(16);
  const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
  process.stdout.write("ready\n");
  const cache = (await lines.next()).value as string;
  const folder = (await lines.next()).value as string;
  process.env["HALT_AT"] = (await lines.next()).value as string;
  process.env["BREAKHIS_CACHE"] = cache;
  process.stdout.write("working\n");
  const dataset = await openDataset(folder);
  const { values, complete, fromCache } = await extractFeatures(dataset, backbone, { batchSize: 4 });
  const digest = sha256(new Uint8Array(inMemory(values).buffer));
  process.stdout.write(`${JSON.stringify({ digest, complete, fromCache })}\n`, () => process.exit());
}

void main();
