"""Computes a frozen backbone's features of image files with Keras, in the ways that an expert would try."""

import os
import sys
import time

import keras
import numpy as np
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

import networks
from pipelines import untuned
from serving import serve

WAYS = ["predict", "tf.function", "tf.function, frozen", "tf.function, XLA", "bfloat16", "bfloat16, frozen"]
BUILDERS = {"resnet50": networks.resnet50, "efficientnet-lite0": networks.efficientnet_lite0}


def read_images(task):
    """Read, decoded and resized on all cores, the next batches while the network computes."""
    size = task["size"]

    def load(path):
        pixels = tf.io.decode_png(tf.io.read_file(path), channels=3)
        # Plain bilinear, as in Keras' own loaders: less work than a filter that is widened when shrinking.
        return tf.cast(tf.image.resize(pixels, [size, size]), tf.uint8)

    return untuned(
        tf.data.Dataset.from_tensor_slices(task["files"])
        .map(load, num_parallel_calls=os.cpu_count())
        .batch(task["batch"])
        .prefetch(2)
    )


def freeze(function, signature):
    """Weights as constants, so that Grappler can fold them into each other."""
    return convert_variables_to_constants_v2(tf.function(function).get_concrete_function(signature))


def build(task):
    """A function from batches of images to features."""
    model = BUILDERS[task["backbone"]](task["weights"], task["size"])
    way = task["way"]
    if way == "predict":
        return lambda batches: model.predict(batches, verbose=0)
    signature = tf.TensorSpec([None, task["size"], task["size"], 3], tf.uint8)

    def compute(pixels):
        return model(pixels, training=False)

    if way.endswith("frozen"):
        frozen = freeze(compute, signature)
        return lambda batches: np.concatenate([frozen(batch)[0].numpy() for batch in batches])
    traced = tf.function(compute, input_signature=[signature], jit_compile=way.endswith("XLA"))
    return lambda batches: np.concatenate([traced(batch).numpy() for batch in batches])


built = {}


def handle(task):
    """`{"ways": […]}` if no way is asked for, else images a second, from files (or from memory) to a .npy."""
    if "way" not in task:
        return {"ways": WAYS}
    # Grappler looks at it when a function is optimised, which is when it first runs.
    mixed = {"auto_mixed_precision_onednn_bfloat16": task["way"].startswith("bfloat16")}
    tf.config.optimizer.set_experimental_options(mixed)
    key = (task["backbone"], task["way"], task["size"])
    if key not in built:
        built[key] = build(task)
        built[key](read_images({**task, "files": task["files"][: task["batch"]]}))
    batches = read_images(task)
    if task.get("inMemory"):
        batches = batches.cache()
        for _ in batches:
            pass
    started = time.perf_counter()
    features = built[key](batches)
    np.save(task["out"], features)
    seconds = time.perf_counter() - started
    return {"value": len(features) / seconds}


if __name__ == "__main__":
    sys.stderr.write(f"Keras {keras.__version__}, TensorFlow {tf.__version__}\n")
    serve(handle)
