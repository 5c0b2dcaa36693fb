// Computes features for use elsewhere: npm run features -- data/demo --out features/demo
// One part of them, for several machines: npm run features -- data/demo --shard 3/16
import { Command, InvalidArgumentError } from "commander";
import { type Dataset, describeDataset, openDataset, type Shard } from "../src/data/dataset";
import { loadBackbone } from "../src/model/backbones/backbone";
import { extractFeatures } from "../src/model/features/features";
import { requireFeaturesWritable, writeFeatures } from "../src/model/features/features-file";
import { cacheFolder } from "../src/runtime/paths";
import { endWithReason, interruptedExitCode, stopOnInterrupt } from "./ending";
import { addBackboneFlags, type BackboneFlags, choiceOf } from "./flags/backbone-flags";
import { addLabelsFlags, type LabelsFlags } from "./flags/labels-flags";
import { showProgressBars } from "./progress-bars";
import { complain, say } from "./say";

interface Flags extends LabelsFlags, BackboneFlags {
  magnification?: number;
  out?: string;
  shard?: Shard;
}

function wholeNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError("Expected a whole number.");
  return Number(text);
}

function readShard(text: string): Shard {
  const [number, count] = text.split("/").map(Number) as [number, number];
  if (!/^\d+\/\d+$/.test(text) || number < 1 || number > count) {
    throw new InvalidArgumentError("Expected a part and the number of parts, for example 3/16.");
  }
  return { number, count };
}

function readCommandLine(): { folder: string; flags: Flags } {
  const program = addBackboneFlags(addLabelsFlags(new Command("features")))
    .description("Writes each image's features to <name>.npy and the images' records to <name>.csv.")
    .argument(
      "<folder>",
      "folder of images: BreaKHis in any of its layouts, or a folder a class; or a labels file",
    )
    .option("--out <name>", "path of the two files, without their endings")
    .option(
      "--shard <part/parts>",
      "computes one part into the cache, for example 3/16, instead of writing files",
      readShard,
    )
    .option("--magnification <number>", "only images of this magnification", wholeNumber)
    .parse();
  const flags = program.opts<Flags>();
  if ((flags.out === undefined) === (flags.shard === undefined)) {
    program.error(
      "error: give either --out <name>, or --shard <part/parts>, which leaves its part in the cache for a later --out",
    );
  }
  return { folder: program.args[0]!, flags };
}

function listOddities({ skipped, warnings }: Dataset): void {
  for (const warning of warnings) complain(`Note: ${warning}`);
  for (const { file, reason } of skipped) complain(`Left out: ${file}: ${reason}.`);
}

async function main(): Promise<void> {
  const { folder, flags } = readCommandLine();
  const { magnification = null, out, shard = null } = flags;
  stopOnInterrupt();
  showProgressBars();
  if (out !== undefined) await requireFeaturesWritable(out);
  const dataset = await openDataset(folder, { ...flags, magnification, shard });
  say(describeDataset(dataset));
  listOddities(dataset);
  const { backbone, explanation } = await loadBackbone(choiceOf(flags));
  say(explanation);
  const features = await extractFeatures(dataset, backbone);
  backbone.dispose();
  if (!features.complete) {
    complain("Stopped. What was computed is kept; the same command goes on from there.");
    process.exitCode = interruptedExitCode;
    return;
  }
  const speed =
    features.computed === 0 ? "" : `, ${(features.computed / features.seconds).toFixed(1)} a second`;
  say(`${features.computed} images computed${speed}; ${features.fromCache} were known.`);
  if (out === undefined) {
    say(`They are kept in ${cacheFolder()}: the same command with --out, instead of --shard, finds them.`);
    return;
  }
  const { matrix, table } = await writeFeatures(out, dataset, features);
  say(`${matrix}: float32 [${features.count}, ${features.width}]\n${table}: the images in the same order`);
}

main().catch(endWithReason);
