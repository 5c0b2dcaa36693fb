import { resolve } from "node:path";
import { writeReport } from "../src/views/report/report";
import { endWithReason } from "./ending";
import { say } from "./say";

/** `node scripts/typescript.js report.ts <run folder>`: writes the run's report.html and prints where it is. */
async function main(): Promise<void> {
  const [folder] = process.argv.slice(2);
  if (folder === undefined) {
    throw new Error("Expected the folder of a run, for example: npm run report -- runs/latest");
  }
  say(await writeReport(resolve(folder)));
}

main().catch(endWithReason);
