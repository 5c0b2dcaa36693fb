import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { NetworkGraph } from "../model/backbones/network-graph";
import type { BackboneRecipe } from "../model/backbones/recipe";
import { encodeSafetensors } from "../model/backbones/safetensors";
import type { KerasSource } from "../model/other-backbones/keras-network";
import { writeWholeFile } from "../runtime/files/write-file";
import { runPythonProgram } from "../runtime/python";
import type { CheckImages } from "./check-images";

/** Formats that the Keras in `.venv` writes. */
export type KerasFormat = "keras" | "savedmodel" | "onnx";

/** Keeps the weights out of the JSON: their names stand for them. */
function weightsOf(graph: NetworkGraph) {
  return graph.flatMap((node) =>
    "kernel" in node
      ? [
          { name: `${node.name}.kernel`, shape: node.kernelShape, values: node.kernel },
          { name: `${node.name}.bias`, shape: [node.bias.length], values: node.bias },
        ]
      : [],
  );
}

/** What Keras is to write, and what it is to be asked about. */
export interface KerasTask {
  /** Of a whole classifier, or of what follows `features` where a network of Keras' own gives them. */
  graph: NetworkGraph;
  network: (KerasSource & { recipe: BackboneRecipe }) | null;
  inputSize: number;
  check: CheckImages;
}

async function writeTask(workshop: string, { graph, network, inputSize, check }: KerasTask): Promise<void> {
  const nodes = graph.map((node) => ({ ...node, kernel: undefined, bias: undefined }));
  await writeWholeFile(join(workshop, "graph.json"), JSON.stringify({ inputSize, nodes, network }));
  await writeWholeFile(join(workshop, "weights.safetensors"), encodeSafetensors(weightsOf(graph)));
  await writeWholeFile(join(workshop, "pixels.bin"), check.pixels);
}

/**
 * Writes a graph in a format that Keras knows, and has it read back and asked about the check images. Keras is loaded
 * meanwhile, so the task may still be on its way.
 *
 * @param path - To be written: a file, or a folder for SavedModel.
 * @param workshop - A folder for what the two programs tell each other.
 * @returns What the file answers, shape [count, classCount].
 * @throws Error with Keras' own reason if it can't, or the task's.
 */
export async function writeWithKeras(
  task: Promise<KerasTask>,
  format: KerasFormat,
  path: string,
  workshop: string,
): Promise<Float32Array> {
  const ready = task.then((known) => writeTask(workshop, known));
  await runPythonProgram("export_classifier.py", [workshop, format, path], { ready, temporary: workshop });
  const answers = await readFile(join(workshop, "probabilities.bin"));
  return new Float32Array(Uint8Array.from(answers).buffer);
}
