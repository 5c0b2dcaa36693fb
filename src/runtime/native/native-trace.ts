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
class Recorder {
  private count = 0;

  constructor(
    private readonly graph: NativeGraph,
    private readonly prefix: string,
    private readonly binding: Binding,
    private readonly known: Map<NativeId, GraphValue>,
  ) {}

  /** The binding, but for what makes tensors or reads them. */
  asBinding(): Binding {
    const own: Partial<Binding> = {
      executeOp: (...call) => this.executeOp(...call),
      passAfter: (ids) => this.passAfter(ids),
      createTensor: (...call) => this.createTensor(...call),
      tensorDataSync: () => this.refuseReading(),
    };
    const properties = Object.entries(own).map(([name, value]) => [name, { value }]);
    return Object.create(this.binding, Object.fromEntries(properties)) as Binding;
  }

  private executeOp(
    operation: string,
    attributes: OpAttribute[],
    ids: NativeId[],
    outputCount: number,
    after: NativeId[] = [],
  ): NativeValue[] {
    const { binding } = this;
    const name = `${this.prefix}/${++this.count}-${operation}`;
    const inputs = ids.map((id) => this.inputOf(id, name));
    const converted = attributes.map((attribute) => [attribute.name, convertAttribute(binding, attribute)]);
    const { node } = this.graph.add(name, operation, inputs, {
      attributes: Object.fromEntries(converted),
      after: after.map((id) => this.inputOf(id, name)),
    });
    const values = binding.executeOp(operation, attributes, ids, outputCount);
    values.forEach(({ id }, index) => {
      this.known.set(id, { node, index });
    });
    return values;
  }

  private passAfter([id, other]: readonly [NativeId, NativeId]): NativeValue {
    const type = { name: "T", type: this.binding.TF_ATTR_TYPE, value: this.binding.TF_FLOAT };
    return this.executeOp("Identity", [type], [id], 1, [other])[0]!;
  }

  private createTensor(shape: readonly number[], type: number, values: NumberArray): NativeId {
    const id = this.binding.createTensor(shape, type, values);
    const name = `${this.prefix}/${++this.count}-constant`;
    this.known.set(id, this.graph.constant(name, values.slice(), shape, typeOfNumber(type)));
    return id;
  }

  private refuseReading(): never {
    throw new Error(
      `Values were read while the graph's "${this.prefix}" was traced: what depends on them would stay as it is now. Use tensor operations alone.`,
    );
  }

  private inputOf(id: NativeId, node: string): GraphValue {
    const value = this.known.get(id);
    if (value !== undefined) return value;
    throw new Error(
      `The graph's node "${node}" takes a tensor that was there before and is not among the traced inputs.`,
    );
  }
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
  backend.binding = new Recorder(graph, prefix, binding, known).asBinding();
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
