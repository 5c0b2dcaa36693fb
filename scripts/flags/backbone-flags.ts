import { readFileSync } from "node:fs";
import { type Command, InvalidArgumentError } from "commander";
import type { BackboneChoice } from "../../src/model/backbones/backbone";
import { completeSettings } from "../../src/runtime/settings";

/** Which network makes features, as flags. */
export interface BackboneFlags {
  backbone: string;
  backboneDetails?: NonNullable<BackboneChoice["backboneDetails"]>;
  weights?: string;
  inputSize?: number;
}

function readDetails(path: string): BackboneFlags["backboneDetails"] {
  try {
    const backboneDetails = JSON.parse(readFileSync(path, "utf8"));
    return completeSettings({ backboneDetails }).backboneDetails ?? {};
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
}

function pixels(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError("Expected a whole number.");
  return Number(text);
}

/** Adds the flags that choose a backbone. */
export function addBackboneFlags(command: Command): Command {
  return command
    .option(
      "--backbone <name>",
      "network: auto, resnet50, efficientnet-lite0, or the path of another one's file or folder",
      "auto",
    )
    .option(
      "--backbone-details <json>",
      "a file that says of another one's what nothing beside it does",
      readDetails,
    )
    .option("--weights <file>", "weights of ours, as Keras saves them (.h5)")
    .option("--input-size <pixels>", "width and height that the network sees (ours: 224)", pixels);
}

/** The flags as what `loadBackbone` takes. */
export const choiceOf = (flags: BackboneFlags): BackboneChoice => {
  const { backbone, backboneDetails = null, weights = null, inputSize = null } = flags;
  return { backbone, backboneDetails, weights, inputSize };
};
