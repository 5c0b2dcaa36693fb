import { runPython } from "../python";

const program = `
import json, sys
import h5py, numpy as np
path, layers = sys.argv[1], json.load(sys.stdin)
with h5py.File(path, "w") as file:
    file.attrs["layer_names"] = np.array(list(layers), "S")
    for layer, weights in layers.items():
        group = file.create_group(layer)
        group.attrs["weight_names"] = np.array([f"{layer}/{kind}:0" for kind in weights], "S")
        for kind, (dtype, values) in weights.items():
            group.create_dataset(f"{layer}/{kind}:0", data=np.array(values, dtype), chunks=True, compression="gzip")
`;

/** Writes an HDF5 file in the layout of Keras 2: layers, their weights, and those's type and values. */
export function writeSmallHdf5(
  path: string,
  layers: Record<string, Record<string, [dtype: string, values: unknown]>>,
): void {
  runPython(program, [path], JSON.stringify(layers));
}
