import type { AboutExport, ExportFormat } from "./about-export";

/** A program that uses an export, to be run in its folder. */
export interface CallExample {
  language: "python" | "js";
  code: string;
  /** What the reader has to have, as a sentence. */
  needs: string;
}

const decideInPython = `probability = float(probabilities[about["positiveClass"]])
print(probability, "second look" if probability >= about["threshold"] else "no second look")`;

const showInPython = `print(dict(zip(about["classes"], map(float, probabilities))))`;

const readImageInPython = (size: number) => `image = tf.io.decode_image(
    tf.io.read_file("image.png"), channels=3, expand_animations=False
)
pixels = tf.image.resize(image, [${size}, ${size}], method="bicubic", antialias=True)
pixels = tf.clip_by_value(tf.round(pixels), 0, 255)[None]`;

function pythonOf(about: AboutExport): Record<Exclude<ExportFormat, "tfjs">, string> {
  const [, size] = about.input.shape;
  const isTriage = about.positiveClass !== null && about.classes.length === 2;
  const end = isTriage ? `${showInPython}\n${decideInPython}` : showInPython;
  const start = `about = json.load(open("export.json"))`;
  return {
    keras: `import json
import keras
import tensorflow as tf

${start}
model = keras.models.load_model(about["model"])
${readImageInPython(size)}
probabilities = model.predict(pixels, verbose=0)[0]
${end}`,
    savedmodel: `import json
import tensorflow as tf

${start}
model = tf.saved_model.load(about["model"])
${readImageInPython(size)}
probabilities = model.serve(pixels).numpy()[0]
${end}`,
    onnx: `import json
import numpy as np
import onnxruntime

${start}
session = onnxruntime.InferenceSession(about["model"])
# float32 of shape [n, ${size}, ${size}, 3], RGB, 0 to 255, resized as described above.
pixels = np.load("pixels.npy").astype(np.float32)
probabilities = session.run(None, {session.get_inputs()[0].name: pixels})[0][0]
${end}`,
  };
}

const javascriptOf = (
  size: number,
) => `// pixels: ${size} × ${size} × 3 numbers, RGB, 0 to 255, resized as described above.
const model = await tf.loadLayersModel("model.json");
const probabilities = tf.tidy(() =>
  Array.from(model.predict(tf.tensor4d(pixels, [1, ${size}, ${size}, 3])).dataSync()),
);`;

const needs: Record<ExportFormat, string> = {
  keras: "With Keras 3.15 on TensorFlow 2.21, in this folder:",
  savedmodel:
    "With TensorFlow 2.21, in this folder (`serve` takes float32, `serve_uint8` the pixels as they are stored):",
  onnx: "With onnxruntime, in this folder:",
  tfjs: "With TensorFlow.js 4.22, in a page that is served from this folder:",
};

/** How an export is called, for its model card. */
export function callExample(about: AboutExport): CallExample {
  const { modelFormat } = about;
  const language = modelFormat === "tfjs" ? "js" : "python";
  const code = modelFormat === "tfjs" ? javascriptOf(about.input.shape[1]) : pythonOf(about)[modelFormat];
  return { language, code, needs: needs[modelFormat] };
}
