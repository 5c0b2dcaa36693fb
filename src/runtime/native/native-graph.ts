import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeTemporaryFolder } from "../files/temporary-folder";
import type { tf } from "../tensorflow";
import {
  encodeSavedModel,
  type GraphAttribute,
  type GraphShape,
  type GraphType,
  graphTag,
  type NodeDescription,
} from "./graph-def";
import {
  type Binding,
  type NativeBackend,
  type NativeId,
  type NumberArray,
  nativeBackend,
} from "./native-backend";

/**
 * Computations that are described whole and then run by TensorFlow at one call: it fuses operations, folds
 * constants, runs branches side by side, and keeps variables between calls. Nodes are placed by TensorFlow
 * itself, on a GPU where it sees one.
 */

/** One of the values that a node gives; made by a `NativeGraph`. */
export interface GraphValue {
  readonly node: string;
  /** Which of the node's outputs, from 0 on. */
  readonly index: number;
}

/** What a node takes beside its inputs. */
export interface NodeOptions {
  attributes?: Readonly<Record<string, GraphAttribute>>;
  /** Nodes that must have run before this one, though it takes nothing from them. */
  after?: readonly GraphValue[];
}

/** Numbers to feed as they are, without the bookkeeping of a tensor; leave them alone while the graph runs. */
export type Numbers = { readonly shape: readonly number[] } & (
  | { readonly uint8: Uint8Array }
  | { readonly int32: Int32Array }
  | { readonly float32: Float32Array }
);

/** What a placeholder is fed with; a tensor stays the caller's. */
export type Feed = tf.Tensor | Numbers;

/** A graph that is being described. Names are unique, and stand in TensorFlow's messages. */
export interface NativeGraph {
  /** What is fed at each run. */
  placeholder(name: string, type: GraphType, shape: GraphShape): GraphValue;
  /** Numbers that never change; they are not copied before `open`, so leave them alone until then. */
  constant(name: string, values: NumberArray, shape: readonly number[], type?: GraphType): GraphValue;
  /** Adds a node for one of TensorFlow's operations; returns its first output. */
  add(name: string, operation: string, inputs: readonly GraphValue[], options?: NodeOptions): GraphValue;
  /** The nodes added so far that take a value, but for those that another value depends on. */
  takersOf(value: GraphValue, except: { neededBy: GraphValue }): GraphValue[];
  /** A value to fetch so that nodes run that are there for their effect. */
  effectOf(name: string, nodes: readonly GraphValue[]): GraphValue;
  /** Loads the graph into TensorFlow. Whoever opens a session disposes it. */
  open(): NativeSession;
}

/** A graph in TensorFlow, with the variables that live in it. */
export interface NativeSession {
  /**
   * Computes outputs, and what they depend on.
   *
   * @param feeds - By the placeholders' names.
   * @returns In the order asked for; the caller disposes.
   * @throws Error naming the node if a feed or an output does not fit, or an operation fails.
   */
  run(outputs: readonly GraphValue[], feeds?: Readonly<Record<string, Feed>>): tf.Tensor[];
  /** Frees the graph and its variables; a second call does nothing. */
  dispose(): void;
}

interface Placeholder {
  type: GraphType;
  shape: GraphShape;
}

/** What is known of a graph once it is loaded. */
interface GraphContent {
  nodes: ReadonlySet<string>;
  placeholders: ReadonlyMap<string, Placeholder>;
}

const validName = /^[A-Za-z0-9.][A-Za-z0-9_./-]*$/;

/** Another output of a node than its first. */
export function outputOf(value: GraphValue, index: number): GraphValue {
  return { node: value.node, index };
}

const outputName = ({ node, index }: GraphValue): string => `${node}:${index}`;
const shapeText = (shape: GraphShape): string => `[${shape.map((size) => size ?? "any").join(", ")}]`;
const sizeOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

function typeOf(values: NumberArray): "float32" | "int32" | "uint8" {
  if (values instanceof Float32Array) return "float32";
  return values instanceof Int32Array ? "int32" : "uint8";
}

/** The numbers of a feed, or null if it is a tensor. */
function numbersOf(feed: Feed): NumberArray | null {
  if ("uint8" in feed) return feed.uint8;
  if ("int32" in feed) return feed.int32;
  return "float32" in feed ? feed.float32 : null;
}

/** What has been described of a graph so far. */
class GraphDescription implements NativeGraph {
  private readonly nodes = new Map<string, NodeDescription>();
  private readonly placeholders = new Map<string, Placeholder>();

  placeholder(name: string, type: GraphType, shape: GraphShape): GraphValue {
    const value = this.add(name, "Placeholder", [], { attributes: { dtype: { type }, shape: { shape } } });
    this.placeholders.set(name, { type, shape });
    return value;
  }

  constant(
    name: string,
    values: NumberArray,
    shape: readonly number[],
    type: GraphType = typeOf(values),
  ): GraphValue {
    return this.addConstant(name, values, shape, type, []);
  }

  effectOf(name: string, nodes: readonly GraphValue[]): GraphValue {
    return this.addConstant(name, new Int32Array(1), [], "int32", nodes);
  }

  add(
    name: string,
    operation: string,
    inputs: readonly GraphValue[],
    { attributes = {}, after = [] }: NodeOptions = {},
  ): GraphValue {
    if (!validName.test(name)) {
      throw new Error(`A graph's node is named with letters, digits and . _ - /, found "${name}".`);
    }
    if (this.nodes.has(name)) throw new Error(`The graph has a node "${name}" already: names are unique.`);
    for (const { node } of [...inputs, ...after]) {
      if (this.nodes.has(node)) continue;
      throw new Error(`The graph's node "${name}" takes "${node}", which this graph does not have.`);
    }
    const names = [...inputs.map(outputName), ...new Set(after.map(({ node }) => `^${node}`))];
    this.nodes.set(name, { name, operation, inputs: names, attributes });
    return { node: name, index: 0 };
  }

  takersOf(value: GraphValue, { neededBy }: { neededBy: GraphValue }): GraphValue[] {
    const needed = this.namesNeededBy(neededBy);
    return [...this.nodes.values()]
      .filter(({ name, inputs }) => inputs.includes(outputName(value)) && !needed.has(name))
      .map(({ name }) => ({ node: name, index: 0 }));
  }

  open(): NativeSession {
    const content = { nodes: new Set(this.nodes.keys()), placeholders: this.placeholders };
    return openSession([...this.nodes.values()], content);
  }

  private addConstant(
    name: string,
    values: NumberArray,
    shape: readonly number[],
    type: GraphType,
    after: readonly GraphValue[],
  ): GraphValue {
    if (values.length !== sizeOf(shape)) {
      throw new RangeError(
        `The graph's constant "${name}" of shape ${shapeText(shape)} has ${sizeOf(shape)} values, found ${values.length}.`,
      );
    }
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    const attributes = { dtype: { type }, value: { tensor: { type, shape, bytes } } };
    return this.add(name, "Const", [], { attributes, after });
  }

  private namesNeededBy({ node }: GraphValue): Set<string> {
    const needed = new Set([node]);
    // A set is gone through to the end, also to what is added meanwhile.
    for (const name of needed) {
      for (const input of this.nodes.get(name)!.inputs) needed.add(input.replace(/^\^|:\d+$/g, ""));
    }
    return needed;
  }
}

/**
 * Begins a graph.
 *
 * @example
 * const graph = createGraph();
 * const x = graph.placeholder("x", "float32", [null]);
 * const half = graph.add("half", "L2Loss", [x], { attributes: { T: { type: "float32" } } });
 * const session = graph.open();
 * const [result] = session.run([half], { x: tf.tensor1d([3, 4]) }); // 12.5, half the sum of squares
 * session.dispose();
 */
export function createGraph(): NativeGraph {
  return new GraphDescription();
}

/** TensorFlow's message names the node in every case but this one. */
function nameUnknownOperation(error: unknown, nodes: readonly NodeDescription[]): unknown {
  const unknown = /Op type not registered '(\w+)'/.exec(String(error))?.[1];
  const node = nodes.find(({ operation }) => operation === unknown);
  if (node === undefined) return error;
  return new Error(`The graph's node "${node.name}" asks for "${unknown}", which TensorFlow does not have.`);
}

/** Brings a graph to TensorFlow by way of a file, which is the only one that the addon has. */
function loadGraph(binding: Binding, nodes: readonly NodeDescription[]): number {
  const bytes = encodeSavedModel(nodes);
  // Readable by this user only, and gone before anything is computed.
  const folder = makeTemporaryFolder();
  try {
    writeFileSync(join(folder, "saved_model.pb"), bytes, { mode: 0o600 });
    return binding.loadSavedModel(folder, graphTag);
  } catch (error) {
    throw nameUnknownOperation(error, nodes);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function checkFeed(name: string, feed: Feed, { placeholders }: GraphContent): void {
  const placeholder = placeholders.get(name);
  if (placeholder === undefined) {
    const known = [...placeholders.keys()].map((known) => `"${known}"`).join(", ");
    throw new Error(`The graph has no placeholder "${name}"; there are ${known || "none"}.`);
  }
  const { type, shape } = placeholder;
  const numbers = numbersOf(feed);
  const found = numbers === null ? (feed as tf.Tensor).dtype : typeOf(numbers);
  const fits =
    found === type &&
    feed.shape.length === shape.length &&
    shape.every((size, i) => size === null || size === feed.shape[i]);
  if (!fits) {
    throw new Error(
      `The graph's placeholder "${name}" takes ${type} of shape ${shapeText(shape)}, found ${found} of shape ${shapeText(feed.shape)}.`,
    );
  }
  if (numbers !== null && numbers.length !== sizeOf(feed.shape)) {
    throw new RangeError(
      `The graph's placeholder "${name}" is fed with ${numbers.length} numbers, and the shape ${shapeText(feed.shape)} has ${sizeOf(feed.shape)}.`,
    );
  }
}

// The addon does not release what it was fed when a run fails, so what can be known is checked before.
function checkRun(
  outputs: readonly GraphValue[],
  feeds: Readonly<Record<string, Feed>>,
  content: GraphContent,
): void {
  if (outputs.length === 0) throw new Error("A run of a graph needs at least one output to compute.");
  for (const { node } of outputs) {
    if (!content.nodes.has(node)) throw new Error(`The graph has no node "${node}" to compute.`);
  }
  for (const [name, feed] of Object.entries(feeds)) checkFeed(name, feed, content);
}

function openSession(nodes: readonly NodeDescription[], content: GraphContent): NativeSession {
  const backend = nativeBackend();
  const { binding } = backend;
  let session: number | null = loadGraph(binding, nodes);

  function dispose(): void {
    if (session === null) return;
    binding.deleteSavedModel(session);
    session = null;
  }

  return {
    run(outputs, feeds = {}) {
      if (session === null) throw new Error("This graph's session was disposed.");
      checkRun(outputs, feeds, content);
      return runLoaded(backend, session, outputs, feeds);
    },
    dispose,
  };
}

function runLoaded(
  backend: NativeBackend,
  session: number,
  outputs: readonly GraphValue[],
  feeds: Readonly<Record<string, Feed>>,
): tf.Tensor[] {
  const { binding } = backend;
  const types = { float32: binding.TF_FLOAT, int32: binding.TF_INT32, uint8: binding.TF_UINT8 };
  const made: NativeId[] = [];
  try {
    const ids = Object.values(feeds).map((feed) => {
      const numbers = numbersOf(feed);
      if (numbers === null) return backend.getInputTensorIds([feed as tf.Tensor])[0]!;
      const id = binding.createTensor(feed.shape, types[typeOf(numbers)], numbers);
      made.push(id);
      return id;
    });
    const inputNames = Object.keys(feeds).map((name) => `${name}:0`);
    const values = binding.runSavedModel(
      session,
      ids,
      inputNames.join(","),
      outputs.map(outputName).join(","),
    );
    return values.map((value) => backend.createOutputTensor(value));
  } finally {
    for (const id of made) binding.deleteTensor(id);
  }
}
