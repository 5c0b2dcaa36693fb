import { pushAll } from "../many";
import type { GraphShape } from "./graph-def";
import { type GraphValue, type NativeGraph, outputOf } from "./native-graph";

/** Float32 numbers that live in a graph's session from one run to the next. */
export interface GraphVariable {
  /** What operations on variables take as input. */
  handle: GraphValue;
  shape: GraphShape;
  /** The values as they are when the run reaches them. */
  value: GraphValue;
  /** To be fetched once before anything else is: sets the values that the variable begins with. */
  start: GraphValue;
  /** To be fetched in the end where the session goes on: frees the memory; the variable can be started again. */
  end: GraphValue;
}

const float = { type: "float32" } as const;

/**
 * Adds a variable to a graph.
 *
 * @param startFrom - Zeros, or what is fed as `<name>/start`, of which the variable keeps a copy.
 */
export function addVariable(
  graph: NativeGraph,
  name: string,
  shape: GraphShape,
  startFrom: "zeros" | "feed",
): GraphVariable {
  const attributes = { dtype: float, shape: { shape }, shared_name: { text: name } };
  const handle = graph.add(name, "VarHandleOp", [], { attributes });
  const value = graph.add(`${name}/value`, "ReadVariableOp", [handle], { attributes: { dtype: float } });
  const values = startFrom === "zeros" ? addZeros(graph, name, shape) : addCopyOfFeed(graph, name, shape);
  const assign = graph.add(`${name}/assign`, "AssignVariableOp", [handle, values], {
    attributes: { dtype: float },
  });
  const destroy = graph.add(`${name}/destroy`, "DestroyResourceOp", [handle], {
    attributes: { ignore_lookup_error: { flag: true } },
  });
  const start = graph.effectOf(`${name}/started`, [assign]);
  return { handle, shape, value, start, end: graph.effectOf(`${name}/ended`, [destroy]) };
}

function addZeros(graph: NativeGraph, name: string, shape: GraphShape): GraphValue {
  const sizes = graph.constant(
    `${name}/shape`,
    Int32Array.from(shape, (size) => size ?? 0),
    [shape.length],
  );
  const zero = graph.constant(`${name}/zero`, new Float32Array(1), []);
  return graph.add(`${name}/zeros`, "Fill", [sizes, zero], { attributes: { T: float } });
}

// A tensor shares its memory with the array it was made from, which updates must not reach; and that array may
// only be released by the thread that made it, not by one of TensorFlow's when it is done with the values.
function addCopyOfFeed(graph: NativeGraph, name: string, shape: GraphShape): GraphValue {
  const fed = graph.placeholder(`${name}/start`, "float32", shape);
  return graph.add(`${name}/copy`, "DeepCopy", [fed], { attributes: { T: float } });
}

// Kingma and Ba, ICLR 2015, with the values and the place of epsilon that Keras uses.
const firstMomentDecay = 0.9;
const secondMomentDecay = 0.999;
const epsilon = 1e-7;

/** Adam in a graph, as `keras.optimizers.Adam` does it. */
export interface GraphAdam {
  /**
   * Adds one step of a variable.
   *
   * @param readers - Nodes that read the variable at the same run, and are to do so first: TensorFlow would copy it otherwise.
   * @returns The node of the update; fetch an effect of it.
   */
  update(
    variable: GraphVariable,
    name: string,
    gradient: GraphValue,
    readers?: readonly GraphValue[],
  ): GraphValue;
  /** What it remembers of the variables of all updates added so far, to be started and ended with them. */
  moments: readonly GraphVariable[];
}

/**
 * Adds Adam to a graph.
 *
 * @param step - Shape [3]: the learning rate, and what `adamPowers` gives for the step's number.
 * @param startFrom - What the moments begin with: zeros, or what is fed as `<its node>/start`.
 */
export function addAdam(
  graph: NativeGraph,
  name: string,
  step: GraphValue,
  startFrom: "zeros" | "feed" = "zeros",
): GraphAdam {
  const scalars = graph.add(`${name}/step`, "Unpack", [step], {
    attributes: { T: float, num: { int: 3 }, axis: { int: 0 } },
  });
  const [rate, firstPower, secondPower] = [0, 1, 2].map((index) => outputOf(scalars, index));
  const constant = (label: string, value: number) =>
    graph.constant(`${name}/${label}`, Float32Array.of(value), []);
  const constants = [
    constant("first-decay", firstMomentDecay),
    constant("second-decay", secondMomentDecay),
    constant("epsilon", epsilon),
  ];
  const moments: GraphVariable[] = [];
  const momentsByVariable = new Map<GraphVariable, GraphVariable[]>();

  function momentsOf(variable: GraphVariable): GraphVariable[] {
    const known = momentsByVariable.get(variable);
    if (known !== undefined) return known;
    const added = ["first", "second"].map((label) =>
      addVariable(graph, `${name}/${variable.handle.node}/${label}`, variable.shape, startFrom),
    );
    momentsByVariable.set(variable, added);
    pushAll(moments, added);
    return added;
  }

  return {
    moments,
    update(variable, label, gradient, readers = []) {
      const state = [variable, ...momentsOf(variable)].map(({ handle }) => handle);
      const inputs = [...state, firstPower!, secondPower!, rate!, ...constants, gradient];
      return graph.add(label, "ResourceApplyAdam", inputs, {
        attributes: { T: float },
        after: readers,
      });
    },
  };
}

/** What `addAdam` is fed with besides the learning rate; steps are counted from 1. */
export function adamPowers(step: number): [number, number] {
  return [firstMomentDecay ** step, secondMomentDecay ** step];
}
