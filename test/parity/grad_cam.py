"""Grad-CAM by automatic differentiation, for one image and a dense head.

Arguments: a folder, and perhaps more. In the folder `image.bin` (uint8 [224, 224, 3]), `head.json` (for each layer
inputs, units, activation), `head.bin` (kernels and biases, float32) and `task.json` (class, height, width) are read;
`map.bin` (float32 [rows, columns], before ReLU), `heat.bin` (float32 [height, width], 0 to 1) and `probabilities.bin`
are written. Without `activations` defined before, those of keras.applications.ResNet50 with `weights.h5` are used.
"""

import json
import sys
from pathlib import Path

import numpy as np
import tensorflow as tf

folder = Path(sys.argv[1])
task = json.loads((folder / "task.json").read_text())

if "activations" not in globals():
    import keras

    network = keras.applications.ResNet50(
        include_top=False, weights=folder / "weights.h5", input_shape=(224, 224, 3)
    )

    def activations(images):
        pixels = keras.applications.resnet50.preprocess_input(tf.cast(images, tf.float32).numpy())
        return network(pixels, training=False)


def read_head():
    numbers = np.fromfile(folder / "head.bin", "<f4")
    layers = []
    for layer in json.loads((folder / "head.json").read_text()):
        inputs, units = layer["inputs"], layer["units"]
        kernel, bias, numbers = np.split(numbers, [inputs * units, inputs * units + units])
        layers.append((kernel.reshape(inputs, units), bias, layer["activation"]))
    return layers


def logits(features, layers):
    for kernel, bias, activation in layers:
        features = tf.matmul(features, kernel) + bias
        if activation == "relu":
            features = tf.nn.relu(features)
    return features


image = np.fromfile(folder / "image.bin", np.uint8).reshape(1, 224, 224, 3)
maps = tf.convert_to_tensor(activations(image))
with tf.GradientTape() as tape:
    tape.watch(maps)
    scores = logits(tf.reduce_mean(maps, [1, 2]), read_head())
    score = scores[0, task["class"]]
gradient = tape.gradient(score, maps)
weights = tf.reduce_mean(gradient, [1, 2])
cam = tf.reduce_sum(maps[0] * weights[0], -1)
heat = tf.nn.relu(cam)
heat = tf.image.resize((heat / tf.reduce_max(heat))[..., None], [task["height"], task["width"]])[..., 0]

for name, values in [("map", cam), ("heat", heat), ("probabilities", tf.nn.softmax(scores)[0])]:
    values.numpy().astype("<f4").tofile(folder / f"{name}.bin")
