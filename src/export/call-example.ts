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

/** What the text about resizing says, by Pillow. */
const readImageInPython = `def read_image(path, size):
    """Upright, in sRGB, on white, stretched to a square: uint8 [size, size, 3]."""
    image = Image.open(path)
    if image.format == "TIFF":
        page = (image.n_frames, image.tag_v2.get(258), image.tag_v2.get(262))
        if page != (1, (8, 8, 8), 2):
            raise ValueError("Of TIFFs one page of 8-bit RGB is read: convert it to PNG.")
    image = ImageOps.exif_transpose(image)
    profile = image.info.get("icc_profile")
    if image.mode.startswith("I;16"):  # Of 16 bits the upper 8 count.
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if "transparency" in image.info:
        image = image.convert("RGBA")
    alpha = image.getchannel("A") if image.mode in ("LA", "RGBA") else None
    if profile is not None:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        space = source.profile.xcolor_space.strip()
        image = image.convert({"GRAY": "L", "CMYK": "CMYK"}.get(space, "RGB"))
        target = ImageCms.createProfile("sRGB")
        image = ImageCms.profileToProfile(image, source, target, outputMode="RGB")
    elif image.mode == "CMYK":
        raise ValueError("Inks without a profile have no known colours: convert it to sRGB.")
    image = image.convert("RGB")
    if alpha is not None:
        white = Image.new("RGB", image.size, "white")
        white.paste(image, mask=alpha)
        image = white
    return np.asarray(image.resize((size, size), Image.Resampling.BICUBIC))`;

function pythonOf(about: AboutExport): Record<Exclude<ExportFormat, "tfjs">, string> {
  const [, size] = about.input.shape;
  const isTriage = about.positiveClass !== null && about.classes.length === 2;
  const end = isTriage ? `${showInPython}\n${decideInPython}` : showInPython;
  const program = (library: string, load: string, answer: string) => `import io
import json
${library}
from PIL import Image, ImageCms, ImageOps


${readImageInPython}


about = json.load(open("export.json"))
${load}
pixels = read_image("image.png", ${size})[None].astype(np.float32)
${answer}
${end}`;
  return {
    keras: program(
      "import keras\nimport numpy as np",
      'model = keras.models.load_model(about["model"])',
      "probabilities = model.predict(pixels, verbose=0)[0]",
    ),
    savedmodel: program(
      "import numpy as np\nimport tensorflow as tf",
      'model = tf.saved_model.load(about["model"])',
      "probabilities = model.serve(pixels).numpy()[0]",
    ),
    onnx: program(
      "import numpy as np\nimport onnxruntime",
      'session = onnxruntime.InferenceSession(about["model"])',
      "probabilities = session.run(None, {session.get_inputs()[0].name: pixels})[0][0]",
    ),
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
  keras: "With Keras 3.15 on TensorFlow 2.21 and Pillow, in this folder:",
  savedmodel:
    "With TensorFlow 2.21 and Pillow, in this folder (`serve` takes float32, `serve_uint8` the pixels as they are stored):",
  onnx: "With onnxruntime and Pillow, in this folder:",
  tfjs: "With TensorFlow.js 4.22, in a page that is served from this folder:",
};

/** How an export is called, for its model card. */
export function callExample(about: AboutExport): CallExample {
  const { modelFormat } = about;
  const language = modelFormat === "tfjs" ? "js" : "python";
  const code = modelFormat === "tfjs" ? javascriptOf(about.input.shape[1]) : pythonOf(about)[modelFormat];
  return { language, code, needs: needs[modelFormat] };
}
