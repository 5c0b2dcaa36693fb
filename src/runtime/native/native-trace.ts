import { tf } from "../tensorflow";
import { type GraphAttribute, typeOfNumber } from "./graph-def";
import {
  type Binding,
  type NativeId,
  type NativeValue,
  type NumberArray,
  nativeBackend,
  type OpAttribute,
} from "./native-backend";
import type { GraphValue, NativeGraph } from "./native-graph";

/** A tensor to compute with once, and the value that stands in its place in a graph. */
export interface TracedInput {
  tensor: tf.Tensor;
  value: GraphValue;
}

function convertAttribute(binding: Binding, { name, type, value }: OpAttribute): GraphAttribute {
  switch (type) {
    case binding.TF_ATTR_TYPE:
      return { type: typeOfNumber(value as number) };
    case binding.TF_ATTR_BOOL:
      return { flag: value as boolean };
    case binding.TF_ATTR_STRING:
      return { text: value as string };
    case binding.TF_ATTR_SHAPE:
      return { shape: value as number[] };
    case binding.TF_ATTR_INT:
      return Array.isArray(value) ? { ints: value as number[] } : { int: value as number };
    case binding.TF_ATTR_FLOAT:
      return Array.isArray(value) ? { floats: value as number[] } : { float: value as number };
    default:
      throw new Error(`The attribute "${name}" is of a kind that graphs are not given here (${type}).`);
  }
}

/** Runs operations as ever, and writes each of them down. */
function createRecorder(
  graph: NativeGraph,
  prefix: string,
  binding: Binding,
  known: Map<NativeId, GraphValue>,
): Binding {
  let count = 0;

  function inputOf(id: NativeId, node: string): GraphValue {
    const value = known.get(id);
    if (value !== undefined) return value;
    throw new Error(
      `The graph's node "${node}" takes a tensor that was there before and is not among the traced inputs.`,
    );
  }

  function executeOp(
    operation: string,
    attributes: OpAttribute[],
    ids: NativeId[],
    outputCount: number,
    after: NativeId[] = [],
  ): NativeValue[] {
    const name = `${prefix}/${++count}-${operation}`;
    const inputs = ids.map((id) => inputOf(id, name));
    const converted = attributes.map((attribute) => [attribute.name, convertAttribute(binding, attribute)]);
    const { node } = graph.add(name, operation, inputs, {
      attributes: Object.fromEntries(converted),
      after: after.map((id) => inputOf(id, name)),
    });
    const values = binding.executeOp(operation, attributes, ids, outputCount);
    values.forEach(({ id }, index) => {
      known.set(id, { node, index });
    });
    return values;
  }

  function passAfter([id, other]: readonly [NativeId, NativeId]): NativeValue {
    const type = { name: "T", type: binding.TF_ATTR_TYPE, value: binding.TF_FLOAT };
    return executeOp("Identity", [type], [id], 1, [other])[0]!;
  }

  function createTensor(shape: number[], type: number, values: NumberArray) {
    const id = binding.createTensor(shape, type, values);
    known.set(id, graph.constant(`${prefix}/${++count}-constant`, values.slice(), shape, typeOfNumber(type)));
    return id;
  }

  function tensorDataSync(): never {
    throw new Error(
      `Values were read while the graph's "${prefix}" was traced: what depends on them would stay as it is now. Use tensor operations alone.`,
    );
  }

  return Object.create(binding, {
    executeOp: { value: executeOp },
    passAfter: { value: passAfter },
    createTensor: { value: createTensor },
    tensorDataSync: { value: tensorDataSync },
  }) as Binding;
}

/**
 * Adds to a graph what a function does with tensors, TensorFlow.js' gradients included: what `tf.function` does
 * in Python. The function runs once; whatever JavaScript computes or decides in it stays as it was then.
 *
 * @param prefix - What the nodes' names begin with.
 * @param inputs - The tensors that the function computes with, of the shapes that the graph's values will have.
 * @param work - Returns the tensors whose values are wanted; they are disposed.
 * @returns In the graph, what was returned as tensors.
 * @throws Error if the function reads values, or uses a tensor that it neither made nor was given.
 */
export function traceInto(
  graph: NativeGraph,
  prefix: string,
  inputs: readonly TracedInput[],
  work: () => tf.Tensor[],
): GraphValue[] {
  const backend = nativeBackend();
  const { binding } = backend;
  const ids = (tensors: tf.Tensor[]) => backend.getInputTensorIds(tensors);
  const inputIds = ids(inputs.map(({ tensor }) => tensor));
  const known = new Map(inputs.map(({ value }, i) => [inputIds[i]!, value]));
  backend.binding = createRecorder(graph, prefix, binding, known);
  try {
    const outputs = work();
    try {
      return ids(outputs).map((id) => known.get(id)!);
    } finally {
      tf.dispose(outputs);
    }
  } finally {
    backend.binding = binding;
  }
}
