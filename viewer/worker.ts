// Runs beside the page, so that the page answers while images are computed.
import { enlargeBilinearly } from "../src/data/images/bilinear";
import { likenessSize, meanColour } from "../src/data/images/perceptual-hash";
import { normaliseStains } from "../src/data/images/stain";
import { compareWithTraining } from "../src/model/classifier/familiarity";
import { scaleToOne } from "../src/model/explanation/weigh-activations";
import { blendHeat, usualOpacity } from "../src/views/display/heat-blend";
import { stretchToSquare } from "./cubic-resize";
import {
  changesPixels,
  type DecodedImage,
  decodeFile,
  drawPicture,
  encodeThumbnail,
  toRgb,
  toRgba,
} from "./decode";
import type { Answer, Explanation, Likeness, Request } from "./messages";
import { loadNetwork, type Network } from "./network";

const pictureWidth = 700;

const answer = (message: Answer) => postMessage(message);

let network: Network | null = null;

/** Everything between decoding and the network, in the order of `predictImages`. */
function prepare({ pixels, width, height }: DecodedImage, { about }: Network): Uint8Array {
  const square = stretchToSquare(pixels, width, height, about.input.shape[1]);
  const stain = about.input.stainNormalisation;
  return stain === null ? square : normaliseStains(square, stain).pixels;
}

async function explain(image: DecodedImage, computing: Network, classIndex: number): Promise<Explanation> {
  const map = await computing.explain(prepare(image, computing), classIndex);
  const { rgba, width, height } = drawPicture(image, pictureWidth);
  const heat = enlargeBilinearly(scaleToOne(map.values), [map.rows, map.columns], [height, width]);
  const overlay = toRgba(blendHeat(toRgb(rgba), heat, usualOpacity));
  const { rows, columns } = map;
  const values = Array.from(map.values);
  return { picture: rgba, overlay, width, height, classIndex, map: { values, rows, columns } };
}

/** What `npm run predict` says of how unlike the training images an image is. */
function compare(image: DecodedImage, features: Float32Array, { familiarity }: Network): Likeness {
  if (familiarity === null) return { distance: null, unlike: [] };
  const { pixels, width, height } = image;
  const colour = meanColour(stretchToSquare(pixels, width, height, likenessSize));
  const looks = { width, height, meanColour: colour };
  const { distance, unlike } = compareWithTraining(familiarity, features, looks);
  return { distance, unlike: unlike.map(({ text }) => text) };
}

async function start(backend: string | null): Promise<void> {
  try {
    network = await loadNetwork(backend, (share) => answer({ kind: "loading", share }));
    const { about, difference } = network;
    answer({ kind: "ready", about, backend: network.backend, difference, changesPixels: changesPixels() });
  } catch (error) {
    answer({ kind: "failed", reason: (error as Error).message });
  }
}

async function look(request: Exclude<Request, { kind: "start" }>, computing: Network): Promise<void> {
  const { id, file } = request;
  try {
    const image = await decodeFile(file);
    try {
      if (request.kind === "explain") {
        const explanation = await explain(image, computing, request.classIndex);
        answer({ kind: "explained", id, explanation });
      } else {
        const { probabilities, features } = await computing.predict(prepare(image, computing));
        const likeness = compare(image, features, computing);
        answer({
          kind: "predicted",
          id,
          probabilities,
          thumbnail: await encodeThumbnail(image),
          ...likeness,
        });
      }
    } finally {
      image.bitmap.close();
    }
  } catch (error) {
    answer({ kind: "unreadable", id, reason: (error as Error).message });
  }
}

addEventListener("message", ({ data }: MessageEvent<Request>) => {
  if (data.kind === "start") void start(data.backend);
  else if (network !== null) void look(data, network);
});
