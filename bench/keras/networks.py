"""The two backbones as Keras has or would have them, with the weights that the project computes with."""

import json

import keras
import numpy as np
import tensorflow as tf


def resnet50(weights, size):
    """Pixels from 0 to 255 in, pooled features out; preprocessing is a part of the model, as it is of ours."""
    pixels = keras.Input((size, size, 3), dtype="uint8")
    centred = keras.applications.resnet50.preprocess_input(keras.ops.cast(pixels, "float32"))
    body = keras.applications.ResNet50(
        include_top=False, pooling="avg", weights=weights, input_shape=(size, size, 3)
    )
    model = keras.Model(pixels, body(centred))
    model.trainable = False
    return model


def read_safetensors(path):
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        data = file.read()
    header.pop("__metadata__", None)
    return {
        name: np.frombuffer(data[slice(*entry["data_offsets"])], np.float32).reshape(entry["shape"])
        for name, entry in header.items()
    }


# Of each stage: blocks, window, stride of the first block, widening, output channels.
LITE0_STAGES = [
    (1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112), (4, 5, 2, 6, 192), (1, 3, 1, 6, 320),
]


def efficientnet_lite0(weights, size):
    """Layer by layer with its BatchNorms, as Keras' own EfficientNet is written."""
    tensors = read_safetensors(weights)
    layers = keras.layers

    def norm(x, name, active=True):
        layer = layers.BatchNormalization(epsilon=1e-3)
        x = layer(x)
        layer.set_weights([tensors[f"{name}/{part}"] for part in ("gamma", "beta", "moving_mean", "moving_variance")])
        return layers.ReLU(6)(x) if active else x

    def convolution(x, name, stride=1, active=True):
        kernel = tensors[f"{name}/kernel"]
        layer = layers.Conv2D(kernel.shape[3], kernel.shape[:2], stride, "same", use_bias=False)
        x = layer(x)
        layer.set_weights([kernel])
        return norm(x, name, active)

    def depthwise(x, name, stride):
        layer = layers.DepthwiseConv2D(tensors[f"{name}/kernel"].shape[:2], stride, "same", use_bias=False)
        x = layer(x)
        layer.set_weights([tensors[f"{name}/kernel"]])
        return norm(x, name)

    pixels = keras.Input((size, size, 3), dtype="uint8")
    x = convolution((keras.ops.cast(pixels, "float32") - 127) / 128, "stem", 2)
    index = 0
    for blocks, _, first_stride, widening, _ in LITE0_STAGES:
        for block in range(blocks):
            name, stride = f"block{index}", first_stride if block == 0 else 1
            y = convolution(x, f"{name}/expand") if widening > 1 else x
            y = convolution(depthwise(y, f"{name}/depthwise", stride), f"{name}/project", active=False)
            x = layers.Add()([x, y]) if y.shape == x.shape and stride == 1 else y
            index += 1
    x = convolution(x, "head")
    model = keras.Model(pixels, layers.GlobalAveragePooling2D()(x))
    model.trainable = False
    return model
