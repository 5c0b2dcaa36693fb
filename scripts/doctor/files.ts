import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { locateResnet50 } from "../../src/model/backbones/weights-location";
import { dataFolder, projectRoot } from "../../src/runtime/paths";
import { weightsProblem } from "../setup/pretrained-weights.js";
import { type Finding, fine, note, wrong } from "./finding";

async function checkResnet50(): Promise<Finding> {
  const what = "Weights, ResNet50";
  // Looking must not download 94 MB; training does, where it has to.
  process.env["BREAKHIS_OFFLINE"] = "1";
  try {
    const location = await locateResnet50(null, { probeMs: 0, downloadMs: 0 });
    if (location.found) return fine(what, location.path);
    const remedy =
      "They are downloaded when a notebook asks for them; offline, name the Keras file with --weights or BREAKHIS_WEIGHTS, or go with EfficientNet-Lite0.";
    const kept = location.reason.includes("BREAKHIS_OFFLINE");
    return note(what, kept ? "not on this machine" : location.reason, remedy);
  } catch (error) {
    return wrong(
      what,
      error instanceof Error ? error.message : String(error),
      "Correct or unset BREAKHIS_WEIGHTS.",
    );
  }
}

function checkEfficientnet(): Finding {
  const problem = weightsProblem(projectRoot());
  const what = "Weights, EfficientNet-Lite0";
  return problem === null ? fine(what, "converted") : wrong(what, problem, "Run npm run setup.");
}

const countImages = (folder: string) =>
  readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) =>
    /\.(png|jpe?g|tiff?|bmp|webp)$/i.test(name),
  ).length;

function checkData(): Finding[] {
  const folder = dataFolder();
  const names = existsSync(folder) ? readdirSync(folder).filter((name) => !name.startsWith(".")) : [];
  const sets = names
    .filter((name) => name !== "cards" && statSync(join(folder, name)).isDirectory())
    .map((name) => ({ name, images: countImages(join(folder, name)) }))
    .filter(({ images }) => images > 0);
  if (sets.length === 0) {
    const remedy = "npm start draws a synthetic set; npm start -- --data FOLDER takes images of your own.";
    return [note("Data", `no images in ${folder}`, remedy)];
  }
  return sets.map(({ name, images }) => {
    const synthetic = existsSync(join(folder, name, "SYNTHETIC.md")) ? ", synthetic" : "";
    return fine("Data", `${join(folder, name)}: ${images} images${synthetic}`);
  });
}

/** Looks for weights and data. */
export async function checkFiles(): Promise<Finding[]> {
  return [await checkResnet50(), checkEfficientnet(), ...checkData()];
}
