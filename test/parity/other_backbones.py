"""Keras models with random weights and statistics, saved in every format that a backbone may come in.

Arguments: a folder, in which `pixels.bin` (uint8, RGB, [n, 64, 64, 3]) is read. Written: models, and `<name>.bin` (float32):
what Keras makes of the images.
"""

import functools
import sys
from pathlib import Path

import keras
import numpy as np

SIZE = 64
keras.utils.set_random_seed(3)
rng = np.random.default_rng(3)


def randomise(model):
    """Statistics as a trained network has them: with those of a new one, a wrong BatchNorm would not be noticed."""
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            gamma, beta, mean, variance = layer.get_weights()
            size = gamma.shape
            layer.set_weights([rng.uniform(0.5, 1, size), rng.normal(0, 0.1, size), rng.normal(0, 0.1, size), rng.uniform(0.5, 1.5, size)])
    return model


def vision_transformer(activation, dim=48, heads=3, patch=8):
    images = keras.Input((SIZE, SIZE, 3))
    x = keras.layers.Conv2D(dim, patch, patch)(images)
    x = keras.layers.Reshape(((SIZE // patch) ** 2, dim))(x)
    for block in range(2):
        y = keras.layers.LayerNormalization(epsilon=1e-6)(x)
        y = keras.layers.MultiHeadAttention(heads, dim // heads)(y, y)
        x = keras.layers.Add()([x, y])
        y = keras.layers.LayerNormalization(epsilon=1e-6)(x)
        y = keras.layers.Dense(4 * dim, activation=activation)(y)
        x = keras.layers.Add(name=f"block{block}")([x, keras.layers.Dense(dim)(y)])
    pooled = keras.layers.GlobalAveragePooling1D(name="pooled")(x)
    return keras.Model(images, keras.layers.Dense(5, activation="softmax", name="classes")(pooled))


def keep(folder, name, values):
    np.ascontiguousarray(values, "<f4").tofile(folder / f"{name}.bin")


def main():
    folder = Path(sys.argv[1])
    pixels = np.fromfile(folder / "pixels.bin", np.uint8).reshape(-1, SIZE, SIZE, 3).astype(np.float32)
    applications = keras.applications
    resnet = randomise(applications.ResNet50(include_top=False, weights=None, pooling="avg", input_shape=(SIZE, SIZE, 3)))
    keep(folder, "resnet", resnet.predict(applications.resnet.preprocess_input(pixels.copy()), verbose=0))
    resnet.save_weights(folder / "resnet.weights.h5")
    resnet.save(folder / "resnet.keras")
    resnet.export(folder / "resnet", verbose=False)
    resnet.export(folder / "resnet.onnx", format="onnx", verbose=False)

    densenet = randomise(applications.DenseNet121(include_top=False, weights=None, pooling="avg", input_shape=(SIZE, SIZE, 3)))
    keep(folder, "densenet", densenet.predict(applications.densenet.preprocess_input(pixels.copy()), verbose=0))
    densenet.save_weights(folder / "densenet.weights.h5")

    # tf2onnx has no word for the exact GELU of this TensorFlow.
    approximate = functools.partial(keras.activations.gelu, approximate=True)
    for name, activation in (("exact", "gelu"), ("approximate", approximate)):
        transformer = vision_transformer(activation)
        tokens = keras.Model(transformer.inputs, transformer.get_layer("block1").output)
        keep(folder, f"{name}-tokens", tokens.predict(pixels / 127.5 - 1, verbose=0))
        pooled = keras.Model(transformer.inputs, transformer.get_layer("pooled").output)
        keep(folder, f"{name}-pooled", pooled.predict(pixels / 127.5 - 1, verbose=0))
        if name == "exact":
            transformer.save(folder / "vit.keras")
            transformer.save(folder / "vit.h5")
            tokens.export(folder / "vit-tokens", verbose=False)
        else:
            tokens.export(folder / "vit-tokens.onnx", format="onnx", verbose=False)
    images = keras.Input((SIZE, SIZE, 3))
    coded = keras.Model(images, keras.layers.Lambda(lambda x: x[:, 0, 0, :], output_shape=(3,))(images))
    coded.save(folder / "lambda.keras")
    coded.save(folder / "lambda.h5")


if __name__ == "__main__":
    main()
