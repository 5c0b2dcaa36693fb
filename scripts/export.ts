// Takes a trained classifier elsewhere: npm run export -- runs/latest/classifier --format keras --out exported
import { resolve } from "node:path";
import { Command, Option } from "commander";
import { differenceText, type ExportFormat, exportFormats } from "../src/export/about-export";
import { exportClassifier, requireExportFolder } from "../src/export/export-classifier";
import { loadRunResults } from "../src/export/run-results";
import { loadClassifier } from "../src/model/classifier/classifier";
import { notMedicalDevice } from "../src/views/display/findings";
import { endWithReason } from "./ending";
import { say } from "./say";

interface Flags {
  format: ExportFormat;
  out: string;
  weights?: string;
  check?: string[];
  stainBeside?: true;
}

async function run(folder: string, flags: Flags): Promise<void> {
  const { format, out, weights = null, check: images = [], stainBeside = false } = flags;
  await requireExportFolder(out);
  const classifier = await loadClassifier(folder, { weights });
  try {
    const results = await loadRunResults(folder, classifier.provenance.runId);
    const about = await exportClassifier({ classifier, format, out, results, images, stainBeside });
    say(`${resolve(out)}: ${about.model}, export.json, MODEL-CARD.md`);
    const { images: count, largestDifference, tolerance } = about.check;
    say(
      `Read back and asked about ${count} images: the largest difference in probability is ${differenceText(largestDifference)} (at most ${tolerance} is accepted).`,
    );
    say(notMedicalDevice);
  } finally {
    classifier.backbone.dispose();
  }
}

new Command("export")
  .description(
    "Exports a classifier for Keras, TensorFlow, browsers or ONNX, checks what it wrote, and says so.",
  )
  .argument("<folder>", "classifier folder, for example runs/latest/classifier")
  .addOption(new Option("--format <name>", "what to write").choices([...exportFormats]).makeOptionMandatory())
  .requiredOption("--out <folder>", "folder to write; an earlier export there is replaced")
  .option("--weights <file>", "the backbone's weights, if they are no longer where they were in training")
  .option("--check <images...>", "images of yours to check it with, besides drawn ones")
  .option("--stain-beside", "write the stain reference beside the model; whoever calls it must apply it")
  .action(run)
  .parseAsync()
  .catch(endWithReason);
