// Answers a picture tile by tile in a process of its own, and says how much memory that took at most: path, tile's edge
import { buildHead } from "../../../src/model/classifier/head";
import { predictTiles } from "../../../src/model/pictures/predict-tiles";
import { meanColourBackbone } from "./mean-colour-backbone";

async function main(): Promise<void> {
  const [path = "", edge = "0"] = process.argv.slice(2);
  const { tiles, empty, complete } = await predictTiles(
    {
      backbone: meanColourBackbone(32),
      head: buildHead({ inputs: 3, hiddenUnits: [4], classCount: 2, seed: 1 }),
      classes: ["benign", "malignant"],
      positiveClass: 1,
      threshold: 0.5,
      inputSize: 32,
      stain: null,
      provenance: {
        runId: null,
        dataset: "none",
        synthetic: true,
        created: "",
        seed: 1,
        weightsPath: null,
        versions: {},
      },
    },
    path,
    { tileSize: { width: Number(edge), height: Number(edge) } },
  );
  // In kB on Linux.
  const peakBytes = 1024 * process.resourceUsage().maxRSS;
  process.stdout.write(JSON.stringify({ answered: tiles.length, empty, complete, peakBytes }));
}

main();
