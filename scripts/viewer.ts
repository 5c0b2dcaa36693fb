// Runs a trained classifier in a browser: npm run viewer -- runs/latest/classifier
import { resolve } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { differenceText } from "../src/export/about-export";
import { loadRunResults } from "../src/export/run-results";
import { buildViewer, requireViewerFolder } from "../src/export/viewer-page";
import { loadClassifier } from "../src/model/classifier/classifier";
import { notMedicalDevice } from "../src/views/display/findings";
import { endWithReason } from "./ending";
import { say } from "./say";
import { serveFolder } from "./viewer/static-server";

interface Flags {
  out: string;
  weights?: string;
  port: number;
  serve: boolean;
}

function portNumber(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535) throw new InvalidArgumentError("Expected a port, 0 to 65535.");
  return port;
}

async function buildPage(folder: string, flags: Flags): Promise<void> {
  const { out, weights = null } = flags;
  await requireViewerFolder(out);
  const classifier = await loadClassifier(folder, { weights });
  try {
    const results = await loadRunResults(folder, classifier.provenance.runId);
    const { check } = await buildViewer({ classifier, out, results });
    say(`${resolve(out)}: a page for any static server; it needs no network and uploads nothing.`);
    say(
      `The model in it was asked about ${check.images} images: the largest difference in probability is ${differenceText(check.largestDifference)}.`,
    );
  } finally {
    classifier.backbone.dispose();
  }
}

async function run(folder: string, flags: Flags): Promise<void> {
  await buildPage(folder, flags);
  say(notMedicalDevice);
  if (!flags.serve) return;
  const { server, address } = await serveFolder(resolve(flags.out), flags.port);
  say(`Open ${address} (on this machine only; Ctrl-C ends it).`);
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      server.close();
      server.closeAllConnections();
    });
  }
}

new Command("viewer")
  .description(
    "Builds a page that runs a classifier in its visitor's browser, and serves it on this machine.",
  )
  .argument("<folder>", "classifier folder, for example runs/latest/classifier")
  .option("--out <folder>", "folder to write; an earlier page there is replaced", "viewer-page")
  .option("--weights <file>", "the backbone's weights, if they are no longer where they were in training")
  .option("--port <number>", "port to serve on; 0 takes a free one", portNumber, 0)
  .option("--no-serve", "only build the page")
  .action(run)
  .parseAsync()
  .catch(endWithReason);
