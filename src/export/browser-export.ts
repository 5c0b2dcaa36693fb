import { join } from "node:path";
import type { NetworkGraph } from "../model/backbones/network-graph";
import { tf } from "../runtime/tensorflow";
import type { CheckImages } from "./check-images";
import { buildLayersModel } from "./layers-model";

/**
 * Writes a graph as a TensorFlow.js layers model (`model.json`, `weights.bin`), and reads it back and asks it about
 * the check images.
 *
 * @param folder - An existing one.
 * @returns What the model answers, shape [count, classCount].
 */
export async function writeForBrowsers(
  graph: NetworkGraph,
  inputSize: number,
  folder: string,
  check: CheckImages,
): Promise<Float32Array> {
  const model = buildLayersModel(graph, inputSize);
  // Not by a file: URL, whose escaped characters (a space, a tilde) tfjs-node takes for names.
  await model.save(tf.io.fileSystem(folder));
  model.dispose();
  const loaded = await tf.loadLayersModel(tf.io.fileSystem(join(folder, "model.json")));
  const answers = tf.tidy(() => {
    const images = Float32Array.from(check.pixels);
    return loaded.predict(tf.tensor4d(images, [check.count, inputSize, inputSize, 3])) as tf.Tensor2D;
  });
  const values = (await answers.data<"float32">()).slice();
  answers.dispose();
  loaded.dispose();
  return values;
}
