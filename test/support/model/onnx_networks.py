"""Small ONNX files with random weights, and what the reference implementation of ONNX says they make of images.

Arguments: a folder, in which `pixels.bin` (uint8, RGB, [n, 32, 32, 3]) is read. Written: the files below, each with
`<name>.<output>.bin` (float32): features of all images, prepared as `PREPARATIONS` says.
"""

import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

SIZE, WIDTH, PATCH = 32, 6, 8
CELLS = SIZE // PATCH
IMAGENET = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
rng = np.random.default_rng(7)


def constant(name, values, kind=np.float32):
    return numpy_helper.from_array(np.asarray(values, kind), name)


def tensor(name, shape, kind=TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, kind, shape)


def model(nodes, inputs, outputs, weights):
    graph = helper.make_graph(nodes, "network", inputs, outputs, weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def stem():
    kernel = constant("kernel", rng.normal(0, 0.1, (WIDTH, 3, PATCH, PATCH)))
    bias = constant("bias", rng.normal(0, 0.5, WIDTH))
    convolve = helper.make_node("Conv", ["planar", "kernel", "bias"], ["linear"], strides=[PATCH, PATCH])
    return [convolve, helper.make_node("Tanh", ["linear"], ["map"])], [kernel, bias]


def pooled():
    return helper.make_node("ReduceMax", ["map"], ["features"], axes=[2, 3], keepdims=0)


def planar_network(batch):
    nodes, weights = stem()
    same = helper.make_node("Identity", ["pixels"], ["planar"])
    inputs = [tensor("pixels", [batch, 3, SIZE, SIZE])]
    return model([same, *nodes, pooled()], inputs, [tensor("features", [batch, WIDTH])], weights)


def interleaved_network():
    """NHWC, two outputs: a grid of cells and tokens behind a class token."""
    nodes, weights = stem()
    turn = helper.make_node("Transpose", ["pixels"], ["planar"], perm=[0, 3, 1, 2])
    back = helper.make_node("Transpose", ["map"], ["cells"], perm=[0, 2, 3, 1])
    flat = helper.make_node("Reshape", ["cells", "flat shape"], ["patches"])
    mean = helper.make_node("ReduceMax", ["patches"], ["class token"], axes=[1], keepdims=1)
    join = helper.make_node("Concat", ["class token", "patches"], ["tokens"], axis=1)
    weights.append(constant("flat shape", [-1, CELLS * CELLS, WIDTH], np.int64))
    outputs = [tensor("cells", ["n", CELLS, CELLS, WIDTH]), tensor("tokens", ["n", CELLS * CELLS + 1, WIDTH])]
    inputs = [tensor("pixels", ["n", SIZE, SIZE, 3])]
    return model([turn, *nodes, back, flat, mean, join], inputs, outputs, weights)


def open_network():
    """All axes of the input are open, as Hugging Face's exporter leaves them."""
    nodes, weights = stem()
    same = helper.make_node("Identity", ["pixels"], ["planar"])
    inputs = [tensor("pixels", ["batch", "num_channels", "height", "width"])]
    return model([same, *nodes, pooled()], inputs, [tensor("features", ["batch", WIDTH])], weights)


def odd_networks():
    one = planar_network("n")
    one.graph.input.append(tensor("mask", ["n"]))
    yield "two-inputs", one
    bytes_in = helper.make_node("Cast", ["pixels"], ["planar"], to=TensorProto.FLOAT)
    nodes, weights = stem()
    inputs = [tensor("pixels", ["n", 3, SIZE, SIZE], TensorProto.UINT8)]
    yield "bytes-in", model([bytes_in, *nodes, pooled()], inputs, [tensor("features", ["n", WIDTH])], weights)
    oblong = [helper.make_node("Identity", ["pixels"], ["planar"]), *nodes, pooled()]
    inputs = [tensor("pixels", ["n", 3, SIZE, 2 * SIZE])]
    yield "oblong", model(oblong, inputs, [tensor("features", ["n", WIDTH])], weights)
    unknown = planar_network("n")
    unknown.graph.node[0].op_type = "NoSuchStep"
    yield "unknown-step", unknown


def draw_in(network, location):
    """Lets the first weights lie in a file of this name."""
    weights = network.graph.initializer[0]
    weights.ClearField("raw_data")
    weights.data_location = TensorProto.EXTERNAL
    entry = weights.external_data.add()
    entry.key, entry.value = "location", location
    return network


def hidden_external(location):
    """Where nobody looks first: a constant in a branch."""
    network = planar_network("n")
    value = constant("value", [1.0, 2.0])
    value.ClearField("raw_data")
    value.data_location = TensorProto.EXTERNAL
    entry = value.external_data.add()
    entry.key, entry.value = "location", location
    inner = helper.make_node("Constant", [], ["inner"], value=value)
    branch = helper.make_graph([inner], "branch", [], [tensor("inner", [2])])
    network.graph.initializer.append(constant("yes", True, bool))
    network.graph.node.append(helper.make_node("If", ["yes"], ["chosen"], then_branch=branch, else_branch=branch))
    return network


def prepare(pixels, preparation):
    channels, scale, mean, deviation, layout = preparation
    values = pixels.astype(np.float64)[..., :: 1 if channels == "RGB" else -1]
    values = ((values * scale - mean) / deviation).astype(np.float32)
    return values.transpose(0, 3, 1, 2) if layout == "NCHW" else values


def main():
    folder = Path(sys.argv[1])
    pixels = np.fromfile(folder / "pixels.bin", np.uint8).reshape(-1, SIZE, SIZE, 3)
    imagenet = ("RGB", 1 / 255, *IMAGENET, "NCHW")
    networks = [
        ("planar", planar_network("n"), imagenet),
        ("fixed", planar_network(3), imagenet),
        ("open", open_network(), ("RGB", 1 / 127.5, [1, 1, 1], [1, 1, 1], "NCHW")),
        ("interleaved", interleaved_network(), ("BGR", 1, [104, 117, 124], [58, 57, 57], "NHWC")),
    ]
    for name, network, preparation in networks:
        onnx.checker.check_model(network)
        onnx.save(network, folder / f"{name}.onnx")
        fed = prepare(pixels, preparation)
        reference = ReferenceEvaluator(network)
        size = 3 if name == "fixed" else 1
        found = [reference.run(None, {"pixels": fed[i : i + size]}) for i in range(0, len(fed), size)]
        for place, output in enumerate(network.graph.output):
            values = np.concatenate([row[place] for row in found])
            np.ascontiguousarray(values, "<f4").tofile(folder / f"{name}.{output.name}.bin")
    for name, network in odd_networks():
        onnx.save(network, folder / f"{name}.onnx")
    beside = folder / "beside"
    beside.mkdir()
    onnx.save(
        planar_network("n"), beside / "network.onnx", save_as_external_data=True, location="weights.bin", size_threshold=0
    )
    onnx.save(draw_in(planar_network("n"), "../planar.onnx"), folder / "climbing.onnx")
    onnx.save(draw_in(planar_network("n"), str(folder / "planar.onnx")), folder / "absolute.onnx")
    onnx.save(draw_in(planar_network("n"), "missing.bin"), folder / "missing.onnx")
    onnx.save(hidden_external("../../etc/hostname"), folder / "hidden.onnx")


if __name__ == "__main__":
    main()
