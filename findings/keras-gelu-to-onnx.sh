#!/usr/bin/env bash
# Keras 3.15.1 on TensorFlow 2.21.0 with tf2onnx 1.17.0: `model.export(path, format="onnx")` of a model with the exact GELU,
# the usual one of vision transformers (`keras.activations.gelu` with approximate=False), logs at most that an operation is
# unsupported and goes on: it writes a file, and no error is raised. ONNX has no Erfc (it has Erf), so ONNX Runtime
# refuses the file. The same model with approximate=True is exported and runs. Exits 0 while this is so.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv v
v/bin/pip install -q --disable-pip-version-check tensorflow-cpu==2.21.0 keras==3.15.1 tf2onnx==1.17.0 \
  onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6
cat > try.py <<'PY'
import sys
import keras
import numpy as np
import onnxruntime

def export(approximate):
    layer = keras.layers.Input((4,), name="x")
    model = keras.Model(layer, keras.activations.gelu(keras.layers.Dense(3)(layer), approximate=approximate))
    model(np.ones((1, 4), np.float32))
    path = f"{'tanh' if approximate else 'exact'}.onnx"
    model.export(path, format="onnx", verbose=False)
    try:
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        x = np.ones((2, 4), np.float32)
        answer = session.run(None, {session.get_inputs()[0].name: x})[0]
        return f"runs, off by {np.abs(answer - model(x)).max():.0e}"
    except Exception as error:
        return f"written, and refused: {str(error).splitlines()[0][:160]}"

said = {approximate: export(approximate) for approximate in (True, False)}
print("tanh:", said[True])
print("exact:", said[False])
sys.exit(0 if said[True].startswith("runs") and "Erfc" in said[False] else 1)
PY
TF_CPP_MIN_LOG_LEVEL=3 v/bin/python try.py 2> log || { tail -5 log; exit 1; }
