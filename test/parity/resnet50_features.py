"""Features of keras.applications.ResNet50, for images of several sizes.

Arguments: a folder, then the sizes. In the folder `images-<size>.bin` (uint8 [3, size, size, 3]) is read and
`<weights>-<size>.bin` (float32 [3, 2048]) written. Without `weights.h5` there, random weights and random BatchNorm
statistics are made and saved in the layouts that Keras has had.
"""

import sys
from pathlib import Path

import h5py
import keras
import numpy as np

folder = Path(sys.argv[1])
sizes = [int(size) for size in sys.argv[2:]]


def random_weights(variable, random):
    kind = variable.name
    if kind == "kernel":
        fan_in = np.prod(variable.shape[:-1])
        return random.normal(0, np.sqrt(1.5 / fan_in), variable.shape)
    if kind in ("gamma", "moving_variance"):
        return random.uniform(0.4, 1.6, variable.shape)
    return random.normal(0, 0.3, variable.shape)


def save_as_keras_2(model, path):
    """The layout of the official files: fixed-length names ending in ":0"."""
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = np.array([layer.name for layer in model.layers], "S")
        for layer in model.layers:
            group = file.create_group(layer.name)
            names = [f"{layer.name}/{variable.name}:0" for variable in layer.weights]
            group.attrs["weight_names"] = np.array(names, "S")
            for name, variable in zip(names, layer.weights):
                group.create_dataset(name, data=variable.numpy(), compression="gzip", compression_opts=1)


def features(model, name):
    for size in sizes:
        images = np.fromfile(folder / f"images-{size}.bin", np.uint8).reshape(3, size, size, 3)
        pixels = keras.applications.resnet50.preprocess_input(images.astype(np.float32))
        model(pixels, training=False).numpy().astype("<f4").tofile(folder / f"{name}-{size}.bin")


def build(weights):
    return keras.applications.ResNet50(
        include_top=False, pooling="avg", weights=weights, input_shape=(None, None, 3)
    )


given = folder / "weights.h5"
if given.exists():
    features(build(given), "given")
else:
    model = build(None)
    random = np.random.default_rng(7)
    for layer in model.layers:
        layer.set_weights([random_weights(variable, random) for variable in layer.weights])
    save_as_keras_2(model, folder / "keras-2.h5")
    model.save(folder / "whole-model.h5")
    model.save_weights(folder / "keras-3.weights.h5")
    features(model, "random")
    print(model.count_params())
