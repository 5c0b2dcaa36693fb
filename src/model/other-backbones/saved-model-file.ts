import { refusal } from "../../runtime/refusal";
import { nameSome } from "../../runtime/words";
import type { TensorFacts } from "./network";
import { computingOperations, restoringOperations } from "./saved-model-operations";
import { wireFields, wireMessage, wireParts, wireText } from "./wire";

/** A tensor of a signature: what it is called outside, and where it is in the graph. */
export interface SignatureTensor extends TensorFacts {
  /** Name of a node and number of its output, "serving_default_images:0". */
  tensor: string;
}

/** What is to be known of a SavedModel before it is opened. */
export interface SavedModelFacts {
  inputs: SignatureTensor[];
  outputs: SignatureTensor[];
  /** Steps that its outputs need, functions included. */
  stepCount: number;
}

/** The tag and the signature that TensorFlow and Keras export a network for serving by. */
export const servingTag = "serve";
const servingSignature = "serving_default";
const initialisers = ["__saved_model_init_op"];

/** TensorFlow's numbers of types. */
const types: Readonly<Record<number, string>> = {
  1: "float32",
  2: "float64",
  3: "int32",
  4: "uint8",
  7: "string",
  9: "int64",
  14: "bfloat16",
  19: "float16",
};

interface Step {
  operation: string;
  /** Names of steps. */
  inputs: string[];
  /** Names of functions. */
  functions: string[];
}

/** A node's attributes may name functions: `func` is field 10 of a value, and stands in lists, too. */
function functionsIn(attribute: Uint8Array): string[] {
  const value = wireMessage(attribute, 2);
  const listed = wireParts(value, 1).flatMap((list) => wireParts(list, 9));
  return [wireMessage(value, 10), ...listed].map((func) => wireText(func, 1)).filter((name) => name !== "");
}

function stepOf(node: Uint8Array): [name: string, step: Step] {
  const inputs: string[] = [];
  const functions: string[] = [];
  for (const { number, bytes } of wireFields(node)) {
    if (bytes === null) continue;
    if (number === 3) inputs.push(Buffer.from(bytes).toString("utf8").replace(/^\^/, "").replace(/:.*$/, ""));
    if (number === 5) for (const name of functionsIn(bytes)) functions.push(name);
  }
  const operation = wireText(node, 2);
  // A function may be called by its name alone.
  return [wireText(node, 1), { operation, inputs, functions: [...functions, operation] }];
}

/** A graph with the functions that it may call. */
class Program {
  private readonly steps: ReadonlyMap<string, Step>;
  private readonly functions: ReadonlyMap<string, Step[]>;

  constructor(graph: Uint8Array) {
    this.steps = new Map(wireParts(graph, 1).map(stepOf));
    const library = wireParts(graph, 2).flatMap((part) => wireParts(part, 1));
    this.functions = new Map(
      library.map((one) => {
        return [wireText(wireMessage(one, 1), 1), wireParts(one, 3).map((node) => stepOf(node)[1])];
      }),
    );
  }

  /** All operations that run where these steps do. */
  operationsBehind(roots: readonly string[]): string[] {
    const found: string[] = [];
    const seen = new Set<string>();
    const called = new Set<string>();
    const waiting = roots.map((name) => name.replace(/:.*$/, ""));
    const visit = ({ operation, functions }: Step): void => {
      if (!this.functions.has(operation)) found.push(operation);
      for (const name of functions) this.visitFunction(name, called, visit);
    };
    for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
      const step = this.steps.get(name);
      if (step === undefined || seen.has(name)) continue;
      seen.add(name);
      for (const input of step.inputs) waiting.push(input);
      visit(step);
    }
    return found;
  }

  private visitFunction(name: string, called: Set<string>, visit: (step: Step) => void): void {
    const body = this.functions.get(name);
    if (body === undefined || called.has(name)) return;
    called.add(name);
    for (const step of body) visit(step);
  }
}

/** Entries of a map: key in field 1, value in field 2; of one key the last one counts. */
const entriesOf = (message: Uint8Array, number: number): [key: string, value: Uint8Array][] => [
  ...new Map(wireParts(message, number).map((entry) => [wireText(entry, 1), wireMessage(entry, 2)])),
];

/** The addon takes several names with commas between them; one that holds a comma would be two. */
const validTensor = /^[A-Za-z0-9.][A-Za-z0-9_.\\/>-]*:\d+$/;

function tensorOf([name, info]: [string, Uint8Array]): SignatureTensor {
  let type = "unknown";
  let shape: (number | null)[] = [];
  for (const { number, bytes, value } of wireFields(info)) {
    if (number === 2) type = types[value ?? 0] ?? `type ${value}`;
    if (number === 3 && bytes !== null) {
      shape = wireParts(bytes, 2).map((axis) => {
        const size = [...wireFields(axis)].find((field) => field.number === 1)?.value ?? 0;
        return size > 0 ? size : null;
      });
    }
  }
  const tensor = wireText(info, 1);
  if (!validTensor.test(tensor))
    throw new Error(`its "${name}" is no tensor of a graph, ${JSON.stringify(tensor)}`);
  return { name, type, shape, tensor };
}

/** Names of what runs at loading: one that restores, in the saver, and others that initialise. */
function loadingRoots(meta: Uint8Array, signatures: readonly [string, Uint8Array][]): string[] {
  const savers = [wireText(wireMessage(meta, 3), 3)];
  const collections = entriesOf(meta, 4)
    .filter(([key]) => /init_op|main_op/.test(key))
    .flatMap(([, list]) => wireParts(list, 1).flatMap((nodes) => wireParts(nodes, 1)))
    .map((name) => Buffer.from(name).toString("utf8"));
  const signed = signatures
    .filter(([key]) => initialisers.includes(key))
    .flatMap(([, signature]) => entriesOf(signature, 2).map(([, info]) => wireText(info, 1)));
  return [...savers, ...collections, ...signed];
}

function refuseForbidden(operations: readonly string[], allowed: ReadonlySet<string>, path: string): void {
  const others = [...new Set(operations.filter((name) => !allowed.has(name)))].sort();
  if (others.length === 0) return;
  throw refusal(
    `${path} holds operations that are not let into this process, ${nameSome(others)}: only those that compute are, none that may touch files, Python or the network. Export it as ONNX if it needs them.`,
  );
}

function inspect(bytes: Uint8Array, path: string): SavedModelFacts {
  const served = wireParts(bytes, 2).filter((meta) => {
    const tags = wireParts(wireMessage(meta, 1), 4).map((tag) => Buffer.from(tag).toString("utf8"));
    return tags.length === 1 && tags[0] === servingTag;
  });
  const [meta] = served;
  if (meta === undefined || served.length > 1) {
    throw new Error(`it has ${served.length} graphs with the tag "${servingTag}" alone, and one is expected`);
  }
  const signatures = entriesOf(meta, 5);
  const signature = signatures.find(([name]) => name === servingSignature)?.[1];
  if (signature === undefined) {
    throw new Error(
      `it has no signature "${servingSignature}", but ${nameSome(signatures.map(([name]) => name)) || "none"}`,
    );
  }
  const inputs = entriesOf(signature, 1).map(tensorOf);
  const outputs = entriesOf(signature, 2).map(tensorOf);
  const program = new Program(wireMessage(meta, 2));
  const computing = program.operationsBehind(outputs.map(({ tensor }) => tensor));
  refuseForbidden(computing, computingOperations, path);
  refuseForbidden(program.operationsBehind(loadingRoots(meta, signatures)), restoringOperations, path);
  return { inputs, outputs, stepCount: computing.length };
}

/**
 * Looks into a `saved_model.pb` without opening it: its signature for serving, and whether it holds what only computes.
 *
 * Source: saved_model.proto and meta_graph.proto of TensorFlow.
 *
 * @param path - Named in errors.
 * @throws Error if it is none, is damaged, or holds another operation, naming it.
 */
export function inspectSavedModel(bytes: Uint8Array, path: string): SavedModelFacts {
  try {
    return inspect(bytes, path);
  } catch (error) {
    const { message } = error as Error;
    if (message.startsWith(path)) throw error;
    throw refusal(`${path} can't be opened as a SavedModel: ${message.replace(/\.$/, "")}.`);
  }
}
