"""Converts a Keras model for images to a SavedModel, whose graph TensorFlow runs without Python.

Arguments: a JSON object with `source` (a .keras or .h5 file with a whole model; or, with `application`, a file of weights),
`application` (a name of keras.applications, or null), `size` (pixels, for an application), `output` (name of the layer whose
output is wanted, or null for the model's own) and `folder` (to be written). Beside the SavedModel lies `facts.json`.

A model's file is not trusted: Keras opens it in its safe mode, and it may hold nothing but Keras' own layers.
"""

import json
import os
import sys
import zipfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"

import h5py
import keras
import tensorflow as tf

CONFIG_LIMIT = 64 * 1024 * 1024
# Layers that hold code, or draw in other files.
FOREIGN_LAYERS = {"Lambda", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer", "TFOpLambda", "SlicingOpLambda"}


def read_archive_config(path):
    with zipfile.ZipFile(path) as archive:
        if archive.getinfo("config.json").file_size > CONFIG_LIMIT:
            raise ValueError("its config.json is too large")
        return json.loads(archive.read("config.json"))


def refuse_links(group):
    for name in group:
        link = group.get(name, getlink=True)
        if not isinstance(link, h5py.HardLink):
            raise ValueError(f"it draws in another file as {name}")
        value = group[name]
        if isinstance(value, h5py.Group):
            refuse_links(value)
        elif value.external or value.is_virtual:
            raise ValueError(f"it draws in another file as {name}")


def read_hdf5_config(path):
    with h5py.File(path, "r") as file:
        refuse_links(file)
        config = file.attrs.get("model_config")
        if config is None:
            raise ValueError(
                "it holds weights and no model: save the whole model, or give the name of a keras.applications network "
                "as the backbone and this file as its weights"
            )
        return json.loads(config)


def refuse_foreign(config):
    """Refuses what is not Keras' own before anything of it is built."""
    if isinstance(config, list):
        for part in config:
            refuse_foreign(part)
    elif isinstance(config, dict):
        name = config.get("class_name")
        if name in FOREIGN_LAYERS:
            raise ValueError(f"it holds a layer of the kind {name}, which is code or another file")
        if name == "__lambda__" or "lambda_type" in config:
            raise ValueError("it holds Python code")
        module = config.get("module")
        if isinstance(module, str) and isinstance(name, str):
            if module.split(".")[0] not in ("keras", "builtins"):
                raise ValueError(f"it holds {module}.{name}, which is not Keras' own")
        for part in config.values():
            refuse_foreign(part)


def load_file(path):
    is_archive = zipfile.is_zipfile(path)
    refuse_foreign(read_archive_config(path) if is_archive else read_hdf5_config(path))
    return keras.saving.load_model(path, compile=False, safe_mode=True)


def load_application(name, weights, size):
    build = getattr(keras.applications, name)
    with h5py.File(weights, "r") as file:
        refuse_links(file)
    model = build(include_top=False, weights=None, pooling="avg", input_shape=(size, size, 3))
    model.load_weights(weights)
    return model


def narrow(model, output):
    """The model up to a layer."""
    if len(model.inputs) != 1:
        raise ValueError(f"it has {len(model.inputs)} inputs, and a backbone takes images and nothing else")
    if output is None:
        return model
    names = [layer.name for layer in model.layers]
    if output not in names:
        raise ValueError(f"it has no layer {output}; the last ones are {', '.join(names[-8:])}")
    return keras.Model(model.inputs, model.get_layer(output).output)


def export(model, name, folder):
    (images,) = model.inputs
    if len(model.outputs) != 1:
        raise ValueError(f"it has {len(model.outputs)} outputs: name the layer that features are made of as output")
    archive = keras.export.ExportArchive()
    archive.track(model)

    def compute(x):
        return {name: tf.cast(model(x, training=False), tf.float32)}

    signature = [tf.TensorSpec(images.shape, tf.float32, name="images")]
    archive.add_endpoint("serve", compute, signature)
    archive.write_out(str(folder), verbose=False)


def main():
    task = json.loads(sys.argv[1])
    source, application, output, folder = (task[key] for key in ("source", "application", "output", "folder"))
    model = load_file(source) if application is None else load_application(application, source, task["size"])
    model = narrow(model, output)
    export(model, output or "features", folder)
    facts = {"parameters": model.count_params(), "layers": len(model.layers), "keras": keras.__version__}
    (Path(folder) / "facts.json").write_text(json.dumps(facts))


if __name__ == "__main__":
    try:
        main()
    except Exception as error:
        # One line is what the caller shows.
        sys.exit(" ".join(str(error).split())[:600])
