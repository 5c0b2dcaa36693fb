import type { tf } from "../tensorflow";
import { type NativeId, type NativeValue, nativeBackend, type OpAttribute } from "./native-backend";

/**
 * TensorFlow's own operations, beyond those that TensorFlow.js offers, each run at once.
 */

// TensorFlow's own number for a type that TensorFlow.js doesn't know: DT_HALF in its types.proto.
const halfType = 19;

/** An attribute that names the type of an operation's tensors. */
export function typeAttribute(name: string, dtype: "float32" | "int32" | "float16" = "float32"): OpAttribute {
  const { binding } = nativeBackend();
  const types = { float32: binding.TF_FLOAT, int32: binding.TF_INT32, float16: halfType };
  return { name, type: binding.TF_ATTR_TYPE, value: types[dtype] };
}

/** An attribute that is a text. */
export function textAttribute(name: string, value: string): OpAttribute {
  return { name, type: nativeBackend().binding.TF_ATTR_STRING, value };
}

/** An attribute that is a list of whole numbers. */
export function integersAttribute(name: string, value: readonly number[]): OpAttribute {
  return { name, type: nativeBackend().binding.TF_ATTR_INT, value };
}

/** An attribute that is true or false. */
export function flagAttribute(name: string, value: boolean): OpAttribute {
  return { name, type: nativeBackend().binding.TF_ATTR_BOOL, value };
}

/** Runs operations and holds their results until it ends. */
export interface NativeScope {
  /** A tensor as an input; it stays the caller's. */
  input(tensor: tf.Tensor): NativeId;
  /** Runs an operation that has one output. */
  run(operation: string, attributes: OpAttribute[], inputs: NativeId[]): NativeId;
  /** Runs an operation that has none, or several. */
  runAll(operation: string, attributes: OpAttribute[], inputs: NativeId[], outputCount: number): NativeId[];
  /** A float32 value once more. A graph that is traced computes what is made of it only when the other value is there. */
  passAfter(id: NativeId, other: NativeId): NativeId;
  /** The shape of a result that the scope holds. */
  shapeOf(id: NativeId): readonly number[];
  /** Frees a result before the scope ends. */
  free(id: NativeId): void;
  /** Hands a result over to TensorFlow.js: from then on it is disposed like any tensor. */
  toTensor(id: NativeId): tf.Tensor;
}

/**
 * Runs native operations; whatever was not handed over is freed at the end, also when something throws.
 *
 * @example
 * withNativeScope((scope) => {
 *   const half = scope.run("L2Loss", [typeAttribute("T")], [scope.input(tf.tensor1d([3, 4]))]);
 *   return scope.toTensor(half); // 12.5, half the sum of squares
 * });
 */
export function withNativeScope<T>(work: (scope: NativeScope) => T): T {
  const backend = nativeBackend();
  const { binding } = backend;
  const held = new Map<NativeId, NativeValue>();

  function runAll(operation: string, attributes: OpAttribute[], inputs: NativeId[], outputCount: number) {
    const values = binding.executeOp(operation, attributes, inputs, outputCount);
    for (const value of values) held.set(value.id, value);
    return values.map((value) => value.id);
  }

  function passAfter(id: NativeId, other: NativeId): NativeId {
    const value = binding.passAfter?.([id, other]);
    if (value === undefined) return runAll("Identity", [typeAttribute("T")], [id], 1)[0]!;
    held.set(value.id, value);
    return value.id;
  }

  function find(id: NativeId): NativeValue {
    const value = held.get(id);
    if (value === undefined) throw new Error(`The native value ${id} is not held by this scope.`);
    return value;
  }

  function take(id: NativeId): NativeValue {
    const value = find(id);
    held.delete(id);
    return value;
  }

  try {
    return work({
      input: (tensor) => backend.getInputTensorIds([tensor])[0]!,
      run: (operation, attributes, inputs) => runAll(operation, attributes, inputs, 1)[0]!,
      runAll,
      passAfter,
      shapeOf: (id) => find(id).shape,
      free: (id) => binding.deleteTensor(take(id).id),
      toTensor: (id) => backend.createOutputTensor(take(id)),
    });
  } finally {
    for (const id of held.keys()) binding.deleteTensor(id);
  }
}
