"""Builds a classifier in Keras, saves it in another program's format, loads it again and predicts with it.

Arguments: a folder, a format (keras, savedmodel or onnx), the path to save to. In the folder `graph.json`,
`weights.safetensors` and `pixels.bin` (uint8 [n, size, size, 3]) are read, and `probabilities.bin` (float32
[n, classes]) is written: what the saved file answers when it is read back. These files are there once standard input
has ended; Keras is loaded until then.
"""

import json
import os
import struct
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
# The numbers of a GPU (TF32) are not what the files are compared with.
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"

import keras
import numpy as np
import tensorflow as tf

ACTIVATIONS = {"linear": None, "relu": "relu", "relu6": "relu6"}


def read_safetensors(path):
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    data = memoryview(content)[8 + length :]
    tensors = {}
    for name, entry in json.loads(content[8 : 8 + length]).items():
        start, end = entry["data_offsets"]
        tensors[name] = np.frombuffer(data[start:end], "<f4").reshape(entry["shape"])
    return tensors


def build_layer(node):
    kind, name = node["kind"], node["name"]
    if kind == "rescale":
        offsets = node["offsets"]
        return keras.layers.Rescaling(node["scale"], offsets if len(offsets) > 1 else offsets[0], name=name)
    if kind == "pad":
        return keras.layers.ZeroPadding2D(node["pixels"], name=name)
    if kind == "poolLargest":
        return keras.layers.MaxPooling2D(node["window"], node["stride"], "valid", name=name)
    if kind == "add":
        return keras.layers.Add(name=name)
    if kind == "poolGlobally":
        return keras.layers.GlobalAveragePooling2D(name=name)
    if kind == "softmax":
        return keras.layers.Softmax(name=name)
    activation = ACTIVATIONS[node["activation"]]
    shape = node["kernelShape"]
    if kind == "dense":
        return keras.layers.Dense(shape[1], activation, name=name)
    window, stride, padding = shape[:2], node["stride"], node["padding"]
    if kind == "convolve":
        return keras.layers.Conv2D(shape[3], window, stride, padding, activation=activation, name=name)
    if kind == "convolveDepthwise":
        return keras.layers.DepthwiseConv2D(window, stride, padding, activation=activation, name=name)
    raise ValueError(f"{name} is a step of an unknown kind, {kind}")


def feed_as_said(images, recipe):
    """(pixel * scale - mean) / deviation, in the order of the channels: a convolution of one pixel, known to every format."""
    deviation = np.asarray(recipe["deviation"], np.float64)
    kernel = np.zeros((1, 1, 3, 3))
    for channel in range(3):
        colour = channel if recipe["channels"] == "RGB" else 2 - channel
        kernel[0, 0, colour, channel] = recipe["scale"] / deviation[channel]
    layer = keras.layers.Conv2D(3, 1, name="feed")
    fed = layer(images)
    layer.set_weights([kernel, -np.asarray(recipe["mean"]) / deviation])
    return fed


def pool_as_said(output, recipe):
    pooling, prefix = recipe["pooling"], recipe["prefixTokens"]
    if pooling == "none":
        return output
    if len(output.shape) == 4:
        return keras.layers.GlobalAveragePooling2D(name="pool")(output)
    first = keras.layers.Flatten(name="class_token")(keras.layers.Cropping1D((0, output.shape[1] - 1))(output))
    if pooling == "class-token":
        return first
    kept = keras.layers.Cropping1D((prefix, 0))(output) if "patches" in pooling else output
    mean = keras.layers.GlobalAveragePooling1D(name="pool")(kept)
    return keras.layers.Concatenate(name="both")([first, mean]) if pooling.startswith("class-token") else mean


def build_features(network, images):
    """What a Keras model makes of images."""
    import convert_backbone

    recipe, application = network["recipe"], network["application"]
    if application is None:
        model = convert_backbone.load_file(network["path"])
    else:
        model = convert_backbone.load_application(application, network["path"], network["size"])
    model = convert_backbone.narrow(model, network["output"])
    return pool_as_said(model(feed_as_said(images, recipe), training=False), recipe)


def build_model(graph, weights):
    size = graph["inputSize"]
    images = keras.Input((size, size, 3), name="images")
    outputs = {"images": images}
    if graph["network"] is not None:
        outputs["features"] = build_features(graph["network"], images)
    for node in graph["nodes"]:
        inputs = [outputs[name] for name in node["inputs"]]
        layer = build_layer(node)
        output = layer(inputs if len(inputs) > 1 else inputs[0])
        if "kernelShape" in node:
            layer.set_weights([weights[f"{node['name']}.kernel"], weights[f"{node['name']}.bias"]])
        if node["kind"] == "add" and node["activation"] != "linear":
            output = keras.layers.Activation(node["activation"], name=f"{node['name']}_{node['activation']}")(output)
        outputs[node["name"]] = output
    model = keras.Model(images, output, name="classifier")
    model.trainable = False
    return model


def save_model(model, form, path, size):
    if form == "keras":
        model.save(path)
    elif form == "savedmodel":
        archive = keras.export.ExportArchive()
        archive.track(model)
        for name, dtype in (("serve", tf.float32), ("serve_uint8", tf.uint8)):
            signature = [tf.TensorSpec((None, size, size, 3), dtype, name="images")]
            archive.add_endpoint(name, lambda x: model(tf.cast(x, tf.float32), training=False), signature)
        archive.write_out(path, verbose=False)
    else:
        # Keras exports only what has been called.
        model(np.zeros((1, size, size, 3), np.float32))
        model.export(path, format="onnx", verbose=False)


def predict_saved(form, path, pixels):
    """Answers of what was saved, image by image: batches of other programs are their own business."""
    if form == "keras":
        loaded = keras.models.load_model(path)
        return loaded.predict(pixels, batch_size=8, verbose=0)
    if form == "savedmodel":
        loaded = tf.saved_model.load(path)
        answers = loaded.serve(pixels.astype(np.float32)).numpy()
        if not np.array_equal(answers, loaded.serve_uint8(pixels).numpy()):
            raise ValueError("serve and serve_uint8 answer differently")
        return answers
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (images,) = session.get_inputs()
    return session.run(None, {images.name: pixels.astype(np.float32)})[0]


def main():
    folder, form, path = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    sys.stdin.read()
    graph = json.loads((folder / "graph.json").read_text())
    size = graph["inputSize"]
    model = build_model(graph, read_safetensors(folder / "weights.safetensors"))
    save_model(model, form, path, size)
    pixels = np.fromfile(folder / "pixels.bin", np.uint8).reshape(-1, size, size, 3)
    answers = predict_saved(form, path, pixels)
    np.ascontiguousarray(answers, "<f4").tofile(folder / "probabilities.bin")


if __name__ == "__main__":
    main()
