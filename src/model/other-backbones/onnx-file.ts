import { Reader } from "protobufjs/minimal";
import { refusal } from "../../runtime/refusal";
import { wireFields, wireParts, wireText } from "./wire";

/** What is to be known of an ONNX file before it is opened. */
export interface OnnxFacts {
  /** Files that its weights lie in, as it names them. */
  externalFiles: string[];
  /** Numbers in its weights. */
  parameterCount: number;
  /** Steps of its graph. */
  stepCount: number;
}

// Numbers of fields in onnx.proto3.
const model = { graph: 7, trainingInfo: 20, functions: 25 } as const;
const graph = { nodes: 1, initializers: 5, sparseInitializers: 15 } as const;
const node = { attributes: 5 } as const;
const attribute = { tensor: 5, graph: 6, tensors: 10, graphs: 11, sparse: 22, sparses: 23 } as const;
const functionNodes = 7;
const functionAttributes = 11;
const sparse = { values: 1, indices: 2 } as const;
const tensor = { dimensions: 1, externalData: 13 } as const;
const training = { initialization: 1, algorithm: 2 } as const;

/** Graphs within graphs (branches, loops) are no deeper than this in any network. */
const deepest = 32;

/** Goes through everything in a model that may hold numbers. */
class Inspection {
  readonly externalFiles = new Set<string>();
  parameterCount = 0;
  stepCount = 0;

  inspectGraph(message: Uint8Array, depth: number): void {
    if (depth > deepest) throw new Error("graphs within graphs, without an end");
    for (const { number, bytes } of wireFields(message)) {
      if (bytes === null) continue;
      if (number === graph.nodes) this.inspectNode(bytes, depth);
      if (number === graph.initializers) this.parameterCount += this.inspectTensor(bytes);
      if (number === graph.sparseInitializers) this.inspectSparse(bytes);
    }
  }

  inspectNode(message: Uint8Array, depth: number): void {
    this.stepCount++;
    for (const part of wireParts(message, node.attributes)) this.inspectAttribute(part, depth);
  }

  inspectAttribute(message: Uint8Array, depth: number): void {
    for (const { number, bytes } of wireFields(message)) {
      if (bytes === null) continue;
      if (number === attribute.tensor || number === attribute.tensors) this.inspectTensor(bytes);
      if (number === attribute.graph || number === attribute.graphs) this.inspectGraph(bytes, depth + 1);
      if (number === attribute.sparse || number === attribute.sparses) this.inspectSparse(bytes);
    }
  }

  private inspectSparse(message: Uint8Array): void {
    for (const field of [sparse.values, sparse.indices]) {
      for (const part of wireParts(message, field)) this.inspectTensor(part);
    }
  }

  /** @returns How many numbers it has. */
  private inspectTensor(message: Uint8Array): number {
    let count = 1;
    for (const { number, bytes, value } of wireFields(message)) {
      if (number === tensor.dimensions) count *= bytes === null ? (value ?? 1) : productOf(bytes);
      if (number !== tensor.externalData || bytes === null) continue;
      if (wireText(bytes, 1) === "location") this.externalFiles.add(wireText(bytes, 2));
    }
    return count;
  }
}

/** Of whole numbers that are packed one behind the other. */
function productOf(bytes: Uint8Array): number {
  const reader = Reader.create(bytes);
  let product = 1;
  while (reader.pos < reader.len) product *= Number(reader.int64());
  return product;
}

/**
 * Looks into an ONNX file without opening it: its weights, and the other files that it draws in.
 *
 * Source: onnx.proto3, https://github.com/onnx/onnx.
 *
 * @param path - Named in errors.
 * @throws Error if it is none, or damaged.
 */
export function inspectOnnx(bytes: Uint8Array, path: string): OnnxFacts {
  const found = new Inspection();
  let graphs = 0;
  try {
    for (const { number, bytes: part } of wireFields(bytes)) {
      if (part === null) continue;
      if (number === model.graph) {
        graphs++;
        found.inspectGraph(part, 0);
      }
      if (number === model.trainingInfo) {
        for (const field of [training.initialization, training.algorithm]) {
          for (const inner of wireParts(part, field)) found.inspectGraph(inner, 0);
        }
      }
      if (number !== model.functions) continue;
      for (const step of wireParts(part, functionNodes)) found.inspectNode(step, 0);
      for (const value of wireParts(part, functionAttributes)) found.inspectAttribute(value, 0);
    }
  } catch (error) {
    throw refusal(`${path} is no ONNX file, or damaged: ${(error as Error).message}.`);
  }
  if (graphs !== 1) throw refusal(`${path} is no ONNX file, or damaged: it holds no graph.`);
  const { externalFiles, parameterCount, stepCount } = found;
  return { externalFiles: [...externalFiles].sort(), parameterCount, stepCount };
}
