// Puts a run into one folder for others: npm run card -- runs/latest --out shared/card
import { Command } from "commander";
import { writeRunCard } from "../src/export/run-card";
import { notMedicalDevice } from "../src/views/display/findings";
import { endWithReason } from "./ending";
import { say } from "./say";

async function run(folder: string, { out }: { out: string }): Promise<void> {
  say(`${await writeRunCard(folder, out)}: classifier, README.md, report.html, settings.json, split.json`);
  say(notMedicalDevice);
}

new Command("npm run card --")
  .description("Puts a run into one folder that another clone opens, and makes again.")
  .argument("<run>", "the run's folder, for example runs/latest")
  .requiredOption("--out <folder>", "folder to write; an earlier card there is replaced")
  .action(run)
  .parseAsync()
  .catch(endWithReason);
