"""Gradients of one training step through a whole network and its head, by TensorFlow's own differentiation.

Arguments: a folder, then the network. In the folder `case.json` holds the head's layers, labels, factors of the images and
the size of the images, `images.bin` the images (uint8). `<network>.bin` is written: the gradients one after the other,
float32, in the order of the names that are printed as JSON, BatchNorm folded into the convolutions.

ResNet50 is Keras' own, unfolded, with frozen BatchNorm; its random weights are written to `keras.h5`. EfficientNet-Lite0
is written a second time, on the folded weights of `folded.json` and `folded.bin`.
"""

import json
import sys
from pathlib import Path

import h5py
import keras
import numpy as np
import tensorflow as tf

folder, network = Path(sys.argv[1]), sys.argv[2]
case = json.loads((folder / "case.json").read_text())
size, labels = case["size"], case["labels"]
images = np.fromfile(folder / "images.bin", np.uint8).reshape(len(labels), size, size, 3).astype(np.float32)
head = [
    (tf.Variable(np.float32(layer["kernel"]).reshape(layer["inputs"], layer["units"])), tf.Variable(np.float32(layer["bias"])))
    for layer in case["head"]
]


def loss_of(features):
    values = features
    for index, (kernel, bias) in enumerate(head):
        values = tf.matmul(values, kernel) + bias
        if index < len(head) - 1:
            values = tf.nn.relu(values)
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, values)
    return tf.reduce_sum(losses * np.float32(case["shares"]))


def random_weights(variable, random):
    if variable.name == "kernel":
        return random.normal(0, np.sqrt(1.5 / np.prod(variable.shape[:-1])), variable.shape)
    if variable.name in ("gamma", "moving_variance"):
        return random.uniform(0.4, 1.6, variable.shape)
    return random.normal(0, 0.3, variable.shape)


def save_as_keras_2(model, path):
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = np.array([layer.name for layer in model.layers], "S")
        for layer in model.layers:
            group = file.create_group(layer.name)
            names = [f"{layer.name}/{variable.name}:0" for variable in layer.weights]
            group.attrs["weight_names"] = np.array(names, "S")
            for name, variable in zip(names, layer.weights):
                group.create_dataset(name, data=variable.numpy())


def resnet50():
    model = keras.applications.ResNet50(include_top=False, pooling="avg", weights=None, input_shape=(size, size, 3))
    random = np.random.default_rng(5)
    for layer in model.layers:
        layer.set_weights([random_weights(variable, random) for variable in layer.weights])
    save_as_keras_2(model, folder / "keras.h5")
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.trainable = False
    names = [layer.name for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    weights = [weight.value for name in names for weight in model.get_layer(name).weights]
    with tf.GradientTape() as tape:
        loss = loss_of(model(keras.applications.resnet50.preprocess_input(images), training=True))
    flat = [variable for layer in head for variable in layer]
    gradients = tape.gradient(loss, weights + flat)
    found = {}
    for index, name in enumerate(names):
        # A folded kernel is the kernel times this, so its gradient is the kernel's divided by it.
        norm = model.get_layer(name.replace("_conv", "_bn"))
        scale = norm.gamma.numpy() / np.sqrt(norm.moving_variance.numpy() + norm.epsilon)
        found[f"{name}/kernel"] = gradients[2 * index].numpy() / scale
        found[f"{name}/bias"] = gradients[2 * index + 1].numpy() / scale
    # The project's stem takes red, green, blue where Keras' takes blue, green, red.
    found["conv1_conv/kernel"] = found["conv1_conv/kernel"][:, :, ::-1]
    return found, gradients[2 * len(names):]


def efficientnet_lite0():
    values = np.fromfile(folder / "folded.bin", np.float32)
    weights, start = {}, 0
    for name, shape in json.loads((folder / "folded.json").read_text()):
        count = int(np.prod(shape))
        weights[name] = tf.Variable(values[start : start + count].reshape(shape))
        start += count

    def convolve(x, name, stride=1):
        return tf.nn.conv2d(x, weights[f"{name}/kernel"], stride, "SAME") + weights[f"{name}/bias"]

    def forward():
        x = tf.nn.relu6(convolve((images - 127) / 128, "stem", 2))
        for index, stride in enumerate([1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1, 1, 1, 1]):
            name, y = f"block{index}", x
            if index > 0:
                y = tf.nn.relu6(convolve(y, f"{name}/expand"))
            kernel = weights[f"{name}/depthwise/kernel"]
            y = tf.nn.depthwise_conv2d(y, kernel, [1, stride, stride, 1], "SAME") + weights[f"{name}/depthwise/bias"]
            y = convolve(tf.nn.relu6(y), f"{name}/project")
            x = x + y if x.shape == y.shape else y
        return tf.reduce_mean(tf.nn.relu6(convolve(x, "head")), [1, 2])

    with tf.GradientTape() as tape:
        loss = loss_of(forward())
    flat = [variable for layer in head for variable in layer]
    gradients = tape.gradient(loss, list(weights.values()) + flat)
    return dict(zip(weights, (gradient.numpy() for gradient in gradients))), gradients[len(weights):]


found, of_head = resnet50() if network == "resnet50" else efficientnet_lite0()
for index, gradient in enumerate(of_head):
    found[f"head/{index // 2}/{'bias' if index % 2 else 'kernel'}"] = gradient.numpy()
np.concatenate([gradient.ravel() for gradient in found.values()]).astype("<f4").tofile(folder / f"{network}.bin")
print(json.dumps([[name, gradient.size] for name, gradient in found.items()]))
