"""SavedModels that do more than compute. Argument: a folder to write them into."""

import sys
from pathlib import Path

import numpy as np
import tensorflow as tf

IMAGES = tf.TensorSpec([None, 32, 32, 3], tf.float32, name="images")


def save(folder, compute, initialise=None):
    module = tf.Module()
    module.weights = tf.Variable(np.linspace(-1, 1, 18).reshape(3, 6), dtype=tf.float32)
    module.serve = tf.function(lambda images: {"features": compute(images, module.weights)}, input_signature=[IMAGES])
    module.initialise = initialise
    tf.saved_model.save(module, str(folder), signatures={"serving_default": module.serve})


def plain(images, weights):
    return tf.reduce_mean(images, [1, 2]) @ weights


def reads(images, weights):
    return plain(images, weights) + tf.cast(tf.strings.length(tf.io.read_file("/etc/hostname")), tf.float32)


def writes(images, weights):
    with tf.control_dependencies([tf.io.write_file("/tmp/breakhis-lab-must-not-be", "x")]):
        return plain(images, weights)


def asks_python(images, weights):
    return tf.ensure_shape(tf.py_function(lambda x: x, [plain(images, weights)], tf.float32), [None, 6])


def prints(images, weights):
    tf.print("x", output_stream="file:///tmp/breakhis-lab-must-not-be")
    return plain(images, weights)


@tf.function
def inner(images, weights):
    return tf.cond(tf.reduce_sum(images) < 0, lambda: reads(images, weights), lambda: plain(images, weights))


def main():
    folder = Path(sys.argv[1])
    save(folder / "plain", plain)
    save(folder / "reads", reads)
    save(folder / "writes", writes)
    save(folder / "python", asks_python)
    save(folder / "prints", prints)
    save(folder / "hidden", inner)


if __name__ == "__main__":
    main()
