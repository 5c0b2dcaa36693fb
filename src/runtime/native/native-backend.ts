import { tf } from "../tensorflow";

/**
 * The addon's internal interface: what `native-ops.ts`, `native-graph.ts`, `native-saved-model.ts` and `native-trace.ts`
 * are built on.
 *
 * Only these five call it, so they are the ones to look at when the addon's version changes. What is computed on
 * `native-ops.ts` passes `NativeId`s around; elsewhere in the project the currency is `tf.Tensor`.
 */

/** The version of the addon whose interface is used here. */
export const addonVersion = "4.22.0";

/** Numbers as TensorFlow takes them, without a copy. */
export type NumberArray = Float32Array | Int32Array | Uint8Array;

/** Number under which the addon keeps one of TensorFlow's values. */
export type NativeId = number;

/** One attribute of an operation that runs at once; made by `typeAttribute` and its like. */
export interface OpAttribute {
  name: string;
  type: number;
  value: unknown;
}

/** What the addon tells about a value that it made. */
export interface NativeValue {
  id: NativeId;
  shape: number[];
  dtype: number;
}

/** The part of the addon's C++ side that is used here. */
export interface Binding {
  readonly TF_FLOAT: number;
  readonly TF_INT32: number;
  readonly TF_UINT8: number;
  readonly TF_ATTR_TYPE: number;
  readonly TF_ATTR_BOOL: number;
  readonly TF_ATTR_SHAPE: number;
  readonly TF_ATTR_STRING: number;
  readonly TF_ATTR_INT: number;
  readonly TF_ATTR_FLOAT: number;
  executeOp(name: string, attributes: OpAttribute[], inputs: NativeId[], outputCount: number): NativeValue[];
  /** Not the addon's, and only there while a graph is traced: the first input, once the second is there. */
  passAfter?(inputs: readonly [NativeId, NativeId]): NativeValue;
  createTensor(shape: readonly number[], dtype: number, values: NumberArray): NativeId;
  deleteTensor(id: NativeId): void;
  tensorDataSync(id: NativeId): ArrayLike<number>;
  getNumOfTensors(): number;
  loadSavedModel(folder: string, tags: string): number;
  /** Names are separated by commas, "node:0" is a node's first output. */
  runSavedModel(session: number, inputs: NativeId[], inputNames: string, outputNames: string): NativeValue[];
  deleteSavedModel(session: number): void;
  getNumOfSavedModels(): number;
}

/** The addon's TypeScript side: it keeps track of which tensor is which of TensorFlow's values. */
export interface NativeBackend {
  binding: Binding;
  getInputTensorIds(tensors: tf.Tensor[]): NativeId[];
  createOutputTensor(value: NativeValue): tf.Tensor;
}

/**
 * Throws unless a version of the addon is the one that this module is written against.
 *
 * @param found - By default that of the addon that is loaded.
 */
export function checkAddonVersion(found: string | undefined = loadedAddonVersion()): void {
  if (found === addonVersion) return;
  throw new Error(
    `Native operations need @tensorflow/tfjs-node-gpu ${addonVersion}, whose internal interface they use, but ${found ?? "another backend"} is loaded. Install ${addonVersion} (npm run setup), or adapt src/runtime/native/native-backend.ts.`,
  );
}

function loadedAddonVersion(): string | undefined {
  return (tf.version as Record<string, string>)["tfjs-node"];
}

let checkedBackend: NativeBackend | null = null;

/** The addon that is loaded, if it is the one that is known here. */
export function nativeBackend(): NativeBackend {
  if (checkedBackend === null) {
    checkAddonVersion();
    checkedBackend = tf.backend() as unknown as NativeBackend;
  }
  return checkedBackend;
}

/** How many values the addon holds, those behind tensors included; for finding leaks. */
export function countNativeValues(): number {
  return nativeBackend().binding.getNumOfTensors();
}

/** How many sessions the addon holds; for finding leaks. */
export function countNativeSessions(): number {
  return nativeBackend().binding.getNumOfSavedModels();
}
