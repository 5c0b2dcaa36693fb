"""Trains the head on cached features with Keras, in the ways that an expert would try.

Each way is built and traced once and then reused with fresh weights, which is more than a notebook
does: only the epochs are timed.
"""

import sys
import time

import keras
import numpy as np
import tensorflow as tf

from pipelines import untuned
from serving import serve

WAYS = ["plain fit", "fit", "fit, several steps at once", "fit, XLA", "loop", "loop, XLA"]


def load(task):
    """Reads what the other side trains on: features, labels, sample weights."""
    count, width = task["train"] + task["validation"], task["width"]
    values = np.fromfile(task["features"], np.float32).reshape(count, width)
    labels = np.array(task["labels"], np.int32)
    weights = np.array(task["classWeights"], np.float32)[labels]
    cut = task["train"]
    return [(part[:cut], part[cut:]) for part in (values, labels, weights)]


def build(task):
    settings = task["settings"]
    layers = [keras.Input((task["width"],))]
    for units in settings["hiddenUnits"]:
        regularizer = keras.regularizers.L2(settings["l2"])
        layers.append(keras.layers.Dense(units, activation="relu", kernel_regularizer=regularizer))
        layers.append(keras.layers.Dropout(settings["dropout"]))
    layers.append(keras.layers.Dense(2, kernel_regularizer=keras.regularizers.L2(settings["l2"])))
    model = keras.Sequential(layers)
    model.optimizer = keras.optimizers.Adam(settings["learningRate"])
    model.optimizer.build(model.trainable_variables)
    return model


def fresh_start(model):
    """Forgets what was learned, without tracing anything again."""
    for variable in model.optimizer.variables:
        if variable is not model.optimizer.learning_rate and "learning_rate" not in variable.path:
            variable.assign(keras.ops.zeros_like(variable))
    for layer in model.layers:
        if isinstance(layer, keras.layers.Dense):
            layer.kernel.assign(layer.kernel_initializer(layer.kernel.shape))
            layer.bias.assign(keras.ops.zeros_like(layer.bias))


def prepare_fit(task, jit, at_once):
    """`Model.fit` on a `tf.data` pipeline: shuffled, rows gathered a batch at a time, prefetched."""
    (x, x_validation), (y, y_validation), (w, w_validation) = load(task)
    settings = task["settings"]
    size = settings["batchSize"]
    x, y, w = tf.constant(x), tf.constant(y), tf.constant(w)
    data = untuned(
        tf.data.Dataset.range(len(y)).shuffle(len(y)).batch(size)
        .map(lambda rows: (tf.gather(x, rows), tf.gather(y, rows), tf.gather(w, rows)), 1)
        .prefetch(2)
    )
    validation = tf.data.Dataset.from_tensors((x_validation, y_validation, w_validation)).cache()
    model = build(task)
    model.compile(
        model.optimizer,
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        weighted_metrics=["accuracy"],
        jit_compile=jit,
        steps_per_execution=-(-len(y) // size) if at_once else 1,
    )
    return model, lambda epochs: model.fit(data, epochs=epochs, validation_data=validation, verbose=0)


def prepare_plain_fit(task):
    """`Model.fit` on arrays, as most write it."""
    (x, x_validation), (y, y_validation), (w, w_validation) = load(task)
    model = build(task)
    model.compile(
        model.optimizer,
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        weighted_metrics=["accuracy"],
    )
    validation = (x_validation, y_validation, w_validation)
    size = task["settings"]["batchSize"]
    return model, lambda epochs: model.fit(
        x, y, sample_weight=w, batch_size=size, epochs=epochs, validation_data=validation, verbose=0
    )


def prepare_loop(task, jit):
    """A loop of one's own: every epoch is one `tf.function` over rows that were shuffled at once."""
    (x, x_validation), (y, y_validation), (w, w_validation) = load(task)
    size = task["settings"]["batchSize"]
    x, y, w = tf.constant(x), tf.constant(y), tf.constant(w)
    x_validation, y_validation, w_validation = map(tf.constant, (x_validation, y_validation, w_validation))
    model = build(task)
    weights = model.trainable_variables
    steps = len(y) // size

    def learn(x_batch, y_batch, w_batch):
        with tf.GradientTape() as tape:
            logits = model(x_batch, training=True)
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(y_batch, logits)
            loss = tf.reduce_mean(losses * w_batch) + tf.add_n(model.losses)
        model.optimizer.apply(tape.gradient(loss, [v.value for v in weights]), weights)
        return loss

    step = tf.function(learn, jit_compile=jit)

    @tf.function
    def epoch():
        order = tf.random.shuffle(tf.range(len(y)))
        xs, ys, ws = tf.gather(x, order), tf.gather(y, order), tf.gather(w, order)
        total = 0.0
        for i in tf.range(steps):
            rows = slice(i * size, (i + 1) * size)
            batch = [tf.ensure_shape(part[rows], [size, *part.shape[1:]]) for part in (xs, ys, ws)]
            total += step(*batch)
        if len(y) % size:
            total += step(xs[steps * size:], ys[steps * size:], ws[steps * size:])
        logits = model(x_validation, training=False)
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(y_validation, logits)
        correct = tf.equal(tf.argmax(logits, 1, tf.int32), y_validation)
        return total, tf.reduce_mean(losses * w_validation), tf.reduce_mean(tf.cast(correct, tf.float32))

    def train(epochs):
        for _ in range(epochs):
            [float(number) for number in epoch()]

    return model, train


def prepare(task):
    way = task["way"]
    if way.startswith("plain"):
        return prepare_plain_fit(task)
    if way.startswith("loop"):
        return prepare_loop(task, jit=way.endswith("XLA"))
    return prepare_fit(task, jit=way.endswith("XLA"), at_once="at once" in way)


prepared = {}


def handle(task):
    """Trains once: `{"ways": […]}` if no way is asked for, else `{"value": seconds}`."""
    if "way" not in task:
        return {"ways": WAYS}
    key = (task["way"], task["settings"]["batchSize"])
    if key not in prepared:
        prepared[key] = prepare(task)
        prepared[key][1](1)
    model, train = prepared[key]
    fresh_start(model)
    started = time.perf_counter()
    train(task["settings"]["epochs"])
    return {"value": time.perf_counter() - started}


if __name__ == "__main__":
    sys.stderr.write(f"Keras {keras.__version__}, TensorFlow {tf.__version__}\n")
    serve(handle)
