"""Fine-tunes ResNet50 with Keras, in the ways that an expert would try; only steps are timed.

The task: `from` ("conv5" or "all"), `batchSize`, `steps`, `inputSize`, `weights` (a Keras file), `images`, and `way`:
"whole network": each step goes through everything from decoded images on, the lower layers frozen, as everyone does;
"cached": steps begin with the frozen layers' output, kept in half precision.
"""

import os
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

from pipelines import untuned
from serving import serve

WAYS = {"whole network": ["tf.function", "tf.function, XLA", "fit"], "cached": ["tf.function", "tf.function, XLA"]}


def build(task):
    size = task["inputSize"]
    base = keras.applications.ResNet50(include_top=False, weights=task["weights"], input_shape=(size, size, 3))
    trainable = False
    for layer in base.layers:
        trainable = trainable or task["from"] == "all" or layer.name.startswith(task["from"])
        layer.trainable = trainable and not isinstance(layer, keras.layers.BatchNormalization)
    head = [
        keras.layers.GlobalAveragePooling2D(),
        keras.layers.Dense(128, activation="relu"),
        keras.layers.Dropout(0.2),
        keras.layers.Dense(64, activation="relu"),
        keras.layers.Dropout(0.2),
        keras.layers.Dense(2),
    ]
    start = base.input if task["way"] == "whole network" else base.get_layer("conv4_block6_out").output
    output = base.output
    for layer in head:
        output = layer(output)
    # BatchNorm with frozen statistics: Keras takes the moving averages where `trainable` is false.
    return keras.Model(start, output)


def data_of(task, model):
    """Batches in memory, prefetched: as random as they need be, since only their size costs time."""
    random = np.random.default_rng(1)
    count = task["batchSize"] * 4
    shape = (count, *model.input_shape[1:])
    labels = random.integers(0, 2, count).astype(np.int32)
    if task["way"] == "cached":
        inputs = np.abs(random.standard_normal(shape)).astype(np.float16)
        prepare = lambda x, y: (tf.cast(x, tf.float32), y)
    else:
        inputs = random.integers(0, 256, shape).astype(np.uint8)
        prepare = lambda x, y: (keras.applications.resnet50.preprocess_input(tf.cast(x, tf.float32)), y)
    data = tf.data.Dataset.from_tensor_slices((inputs, labels)).repeat().batch(task["batchSize"], drop_remainder=True)
    return untuned(data.map(prepare, num_parallel_calls=os.cpu_count()).prefetch(2))


def prepare(task):
    tf.keras.backend.clear_session()
    model = build(task)
    optimizer = keras.optimizers.Adam(3e-5)
    data = data_of(task, model)
    loss_of = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    if task["how"] == "fit":
        model.compile(optimizer, loss_of)
        return lambda steps: model.fit(data, steps_per_epoch=steps, epochs=1, verbose=0)
    optimizer.build(model.trainable_variables)
    batches = iter(data)

    @tf.function(jit_compile=task["how"].endswith("XLA"))
    def step(x, y):
        with tf.GradientTape() as tape:
            loss = loss_of(y, model(x, training=True))
        variables = model.trainable_variables
        optimizer.apply(tape.gradient(loss, [variable.value for variable in variables]), variables)
        return loss

    def run(steps):
        for _ in range(steps):
            loss = step(*next(batches))
        return float(loss)

    return run


prepared = {"key": None, "run": None}


def handle(task):
    """`{"ways": […]}` if nothing is asked to be run; else images a second, and the process's peak memory in MB."""
    if "how" not in task:
        return {"ways": WAYS[task["way"]]}
    key = str(sorted(task.items()))
    if prepared["key"] != key:
        prepared["run"] = None
        prepared.update(key=key, run=prepare(task))
        prepared["run"](1)
    started = time.perf_counter()
    prepared["run"](task["steps"])
    seconds = time.perf_counter() - started
    peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
    return {"value": task["steps"] * task["batchSize"] / seconds, "megabytes": int(peak.split()[1]) / 1000}


if __name__ == "__main__":
    sys.stderr.write(f"Keras {keras.__version__}, TensorFlow {tf.__version__}\n")
    serve(handle)
