import { existsSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../../../src/runtime/paths";

/** Real images and weights that lie beside the project on some machines; never copied into it. */
export const sharedDataFolder = join(projectRoot(), "..", "shared", "data");

export const hasSharedData = existsSync(join(sharedDataFolder, "breakhis-sample"));
export const breakhisSample = join(sharedDataFolder, "breakhis-sample");
export const resnet50Weights = join(sharedDataFolder, "weights", "resnet50_imagenet_notop.h5");
