import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { adamPowers, addAdam, addVariable } from "../../../src/runtime/native/graph-variables";
import {
  type Binding,
  countNativeSessions,
  countNativeValues,
  nativeBackend,
} from "../../../src/runtime/native/native-backend";
import { createGraph, type NativeGraph, outputOf } from "../../../src/runtime/native/native-graph";
import { createRandom } from "../../../src/runtime/random";
import { tf } from "../../../src/runtime/tensorflow";
import { temporaryFolder } from "../../support/temporary-folder";

const T = { type: "float32" } as const;

/** What TensorFlow.js and the addon hold. */
const held = () => ({
  tensors: tf.memory().numTensors,
  values: countNativeValues(),
  sessions: countNativeSessions(),
});

function random(length: number, seed: number): Float32Array {
  const source = createRandom(seed);
  return Float32Array.from({ length }, () => source.normal());
}

let before: ReturnType<typeof held>;
beforeEach(() => {
  before = held();
});
afterEach(() => {
  expect(held()).toEqual(before);
});

/** The values of tensors, which are disposed. */
function take(tensors: tf.Tensor[]): number[][] {
  const values = tensors.map((tensor) => Array.from(tensor.dataSync()));
  tf.dispose(tensors);
  return values;
}

/** Opens a graph, works with it and frees it. */
function withSession<R>(graph: NativeGraph, work: (session: ReturnType<NativeGraph["open"]>) => R): R {
  const session = graph.open();
  try {
    return work(session);
  } finally {
    session.dispose();
  }
}

/** Half the sum of squares, on a batch of any size. */
function smallGraph() {
  const graph = createGraph();
  const x = graph.placeholder("x", "float32", [null, 2]);
  const half = graph.add("half", "L2Loss", [x], { attributes: { T } });
  return { graph, half };
}

describe("a native graph", () => {
  it("computes what TensorFlow.js computes, convolutions included, for batches of any size", () => {
    const graph = createGraph();
    const kernel = random(3 * 3 * 3 * 8, 1);
    const bias = random(8, 2);
    const images = graph.placeholder("images", "int32", [null, 9, 9, 3]);
    const cast = graph.add("cast", "Cast", [images], { attributes: { SrcT: { type: "int32" }, DstT: T } });
    const sums = graph.add("conv", "Conv2D", [cast, graph.constant("kernel", kernel, [3, 3, 3, 8])], {
      attributes: { T, strides: { ints: [1, 2, 2, 1] }, padding: { text: "SAME" } },
    });
    const biased = graph.add("conv/bias", "BiasAdd", [sums, graph.constant("bias", bias, [8])], {
      attributes: { T },
    });
    const output = graph.add("conv/relu", "Relu", [biased], { attributes: { T } });
    withSession(graph, (session) => {
      for (const count of [1, 5]) {
        const values = Int32Array.from(random(count * 243, 3), (value) => Math.round(100 * value));
        const input = tf.tensor4d(values, [count, 9, 9, 3]);
        const expected = tf.tidy(() => {
          const filter = tf.tensor4d(kernel, [3, 3, 3, 8]);
          const convolved = tf.conv2d(tf.cast(input, "float32") as tf.Tensor4D, filter, 2, "same");
          return tf.relu(tf.add(convolved, tf.tensor1d(bias)));
        });
        const found = session.run([output], { images: input });
        expect(found[0]!.shape).toEqual([count, 5, 5, 8]);
        const [ours, theirs] = take([...found, expected]);
        ours!.forEach((value, i) => {
          expect(Math.abs(value - theirs![i]!)).toBeLessThan(1e-3);
        });
        input.dispose();
      }
    });
  });

  it("takes bytes as they are, and every kind of attribute", () => {
    const graph = createGraph();
    const pixels = graph.placeholder("pixels", "uint8", [null, 2]);
    const cast = graph.add("cast", "Cast", [pixels], { attributes: { SrcT: { type: "uint8" }, DstT: T } });
    // Two outputs of different lengths: a list of types and one of ints would not come through the addon alone.
    const counts = graph.constant("counts", Int32Array.of(1, 1), [2]);
    const axis = graph.constant("axis", Int32Array.of(1), []);
    const parts = graph.add("parts", "SplitV", [cast, counts, axis], {
      attributes: { T, Tlen: { type: "int32" }, num_split: { int: 2 } },
    });
    const both = graph.add("both", "IdentityN", [outputOf(parts, 1), parts], {
      attributes: { T: { types: ["float32", "float32"] } },
    });
    const shaped = graph.add("shaped", "EnsureShape", [both], {
      attributes: { T, shape: { shape: [null, 1] } },
    });
    const steep = graph.add("steep", "LeakyRelu", [shaped], { attributes: { T, alpha: { float: 0.5 } } });
    withSession(graph, (session) => {
      const feeds = { pixels: { uint8: Uint8Array.of(1, 2, 250, 255), shape: [2, 2] } };
      expect(take(session.run([steep, outputOf(both, 1)], feeds))).toEqual([
        [2, 255],
        [1, 250],
      ]);
    });
  });

  it("leaves no file, neither when it is loaded nor when it is refused, and lets nobody else read it", () => {
    const folder = temporaryFolder("graphs");
    vi.stubEnv("TMPDIR", folder);
    const backend = nativeBackend();
    const { binding } = backend;
    let modes: number[] = [];
    const loadSavedModel = (path: string) => {
      modes = [path, join(path, "saved_model.pb")].map((entry) => statSync(entry).mode & 0o077);
      throw new Error("No memory.");
    };
    try {
      backend.binding = Object.create(binding, { loadSavedModel: { value: loadSavedModel } }) as Binding;
      expect(() => smallGraph().graph.open()).toThrow("No memory.");
      expect(modes).toEqual([0, 0]);
      expect(readdirSync(folder)).toEqual([]);
      backend.binding = binding;
      smallGraph().graph.open().dispose();
      expect(readdirSync(folder)).toEqual([]);
    } finally {
      backend.binding = binding;
      vi.unstubAllEnvs();
    }
  });

  it("says which folder it could not write to", () => {
    vi.stubEnv("TMPDIR", "/nowhere");
    expect(() => smallGraph().graph.open()).toThrow(
      /No temporary folder can be made in \/nowhere .* name another one in \$TMPDIR/,
    );
    vi.unstubAllEnvs();
  });
});

describe("a native graph names the node", () => {
  it("that is named twice or wrongly, or takes what is not there", () => {
    const { graph } = smallGraph();
    expect(() => graph.placeholder("x", "float32", [])).toThrow(/"x" already/);
    expect(() => graph.add("a b", "NoOp", [])).toThrow(/found "a b"/);
    const stranger = { node: "y", index: 0 };
    expect(() => graph.add("sum", "AddV2", [stranger, stranger])).toThrow(/"sum" takes "y"/);
    expect(() => graph.constant("three", Float32Array.of(1, 2), [3])).toThrow(
      /"three" of shape \[3\].*found 2/,
    );
  });

  it("whose operation or attributes TensorFlow refuses", () => {
    const { graph, half } = smallGraph();
    graph.add("wrong", "MatMull", [half, half]);
    expect(() => graph.open()).toThrow(/"wrong" asks for "MatMull"/);
    const second = smallGraph();
    second.graph.add("product", "MatMul", [second.half, second.half], { attributes: { T } });
    expect(() => second.graph.open()).toThrow(/node product/);
    const third = smallGraph();
    third.graph.add("untyped", "Relu", [third.half]);
    expect(() => third.graph.open()).toThrow(/untyped/);
  });

  it("that a run cannot feed or compute", () => {
    const { graph, half } = smallGraph();
    const input = tf.zeros([3, 2]);
    const wide = tf.zeros([3, 3]);
    const whole = tf.zeros([3, 2], "int32");
    withSession(graph, (session) => {
      expect(take(session.run([half], { x: input }))).toEqual([[0]]);
      expect(() => session.run([half])).toThrow(/placeholder tensor 'x'/);
      expect(() => session.run([half], { y: input })).toThrow(/no placeholder "y"; there are "x"/);
      expect(() => session.run([half], { x: wide })).toThrow(
        /"x" takes float32 of shape \[any, 2\], found .*\[3, 3\]/,
      );
      expect(() => session.run([half], { x: whole })).toThrow(/found int32/);
      expect(() => session.run([half], { x: { uint8: new Uint8Array(6), shape: [3, 2] } })).toThrow(
        /found uint8/,
      );
      expect(() => session.run([], { x: input })).toThrow(/at least one output/);
      expect(() => session.run([{ node: "z", index: 0 }], { x: input })).toThrow(/no node "z"/);
      expect(take(session.run([half], { x: input }))).toEqual([[0]]);
    });
    tf.dispose([input, wide, whole]);
  });

  it("in which an operation fails, and goes on after it", () => {
    const graph = createGraph();
    const rows = graph.placeholder("rows", "int32", [null]);
    const table = graph.constant("table", Float32Array.of(1, 2, 3), [3]);
    const axis = graph.constant("axis", Int32Array.of(0), []);
    const attributes = { Tparams: T, Tindices: { type: "int32" }, Taxis: { type: "int32" } } as const;
    const chosen = graph.add("chosen", "GatherV2", [table, rows, axis], { attributes });
    const [good, bad] = [tf.tensor1d([2, 0], "int32"), tf.tensor1d([7], "int32")];
    withSession(graph, (session) => {
      expect(() => session.run([chosen], { rows: bad })).toThrow(/node chosen/);
      expect(take(session.run([chosen], { rows: good }))).toEqual([[3, 1]]);
    });
    tf.dispose([good, bad]);
  });
});

describe("a native session", () => {
  it("says so when it is used after it was disposed, which may happen twice", () => {
    const { graph, half } = smallGraph();
    const session = graph.open();
    session.dispose();
    session.dispose();
    expect(() => session.run([half])).toThrow(/was disposed/);
  });

  it("knows which nodes take a value that another does not depend on", () => {
    const graph = createGraph();
    const x = graph.placeholder("x", "float32", [2]);
    const square = graph.add("square", "Mul", [x, x], { attributes: { T } });
    const half = graph.add("half", "L2Loss", [square], { attributes: { T } });
    const beside = graph.add("beside", "Neg", [x], { attributes: { T } });
    expect(graph.takersOf(x, { neededBy: half })).toEqual([beside]);
    expect(graph.takersOf(x, { neededBy: x })).toEqual([square, beside]);
    expect(graph.takersOf(square, { neededBy: beside })).toEqual([half]);
    const waiting = graph.add("waiting", "Neg", [x], { attributes: { T }, after: [beside] });
    expect(graph.takersOf(x, { neededBy: waiting })).toEqual([square]);
  });

  it("leaves no memory behind", () => {
    const size = 2 << 20;
    const cycle = (seed: number) => {
      const graph = createGraph();
      const constant = graph.constant("constant", new Float32Array(size).fill(seed), [size]);
      const half = graph.add("half", "L2Loss", [constant], { attributes: { T } });
      withSession(graph, (session) => take(session.run([half])));
    };
    for (let i = 0; i < 4; i++) cycle(i);
    const bytes = process.memoryUsage().rss;
    for (let i = 0; i < 16; i++) cycle(i);
    // 16 of them that were kept would be 128 MB.
    expect((process.memoryUsage().rss - bytes) / 2 ** 20).toBeLessThan(64);
  });
});

/** Algorithm 1 of Kingma and Ba, 2015, with Keras's place of epsilon, in double precision. */
function referenceAdam(start: Float32Array, gradients: Float32Array[], rate: number): number[] {
  const values = Array.from(start);
  const first = values.map(() => 0);
  const second = values.map(() => 0);
  gradients.forEach((gradient, i) => {
    const scale = (rate * Math.sqrt(1 - 0.999 ** (i + 1))) / (1 - 0.9 ** (i + 1));
    for (let j = 0; j < values.length; j++) {
      first[j] = 0.9 * first[j]! + 0.1 * gradient[j]!;
      second[j] = 0.999 * second[j]! + 0.001 * gradient[j]! ** 2;
      values[j]! -= (scale * first[j]!) / (Math.sqrt(second[j]!) + 1e-7);
    }
  });
  return values;
}

describe("variables of a graph", () => {
  const start = random(20, 4);
  const gradients = Array.from({ length: 12 }, (_, i) => random(20, 10 + i));
  const rate = 0.02;

  function adamGraph() {
    const graph = createGraph();
    const weights = addVariable(graph, "weights", [4, 5], "feed");
    const step = graph.placeholder("step", "float32", [3]);
    const gradient = graph.placeholder("gradient", "float32", [4, 5]);
    const adam = addAdam(graph, "adam", step);
    const update = graph.effectOf("learned", [adam.update(weights, "update", gradient)]);
    return { graph, weights, update, variables: [weights, ...adam.moments] };
  }

  /** The weights after Adam's steps in a graph's session. */
  function learnInGraph(
    session: ReturnType<NativeGraph["open"]>,
    parts: ReturnType<typeof adamGraph>,
  ): number[] {
    const first = tf.tensor2d(start, [4, 5]);
    take(
      session.run(
        parts.variables.map(({ start }) => start),
        { "weights/start": first },
      ),
    );
    first.dispose();
    gradients.forEach((values, i) => {
      const feeds = {
        gradient: tf.tensor2d(values, [4, 5]),
        step: tf.tensor1d([rate, ...adamPowers(i + 1)]),
      };
      take(session.run([parts.update], feeds));
      tf.dispose(feeds);
    });
    return take(session.run([parts.weights.value]))[0]!;
  }

  it("take the steps of the paper, and leave the tensor alone they began with", () => {
    const copy = start.slice();
    const parts = adamGraph();
    const learned = withSession(parts.graph, (session) => learnInGraph(session, parts));
    const expected = referenceAdam(start, gradients, rate);
    learned.forEach((value, i) => {
      expect(value).toBeCloseTo(expected[i]!, 5);
    });
    expect(start).toEqual(copy);
  });

  it("begin anew when they are started again, and belong to one session alone", () => {
    const [one, other] = [adamGraph(), adamGraph()];
    withSession(one.graph, (first) =>
      withSession(other.graph, (second) => {
        const learned = learnInGraph(first, one);
        expect(() => second.run([other.weights.value])).toThrow(/weights/);
        expect(learnInGraph(second, other)).toEqual(learned);
        expect(learnInGraph(first, one)).toEqual(learned);
      }),
    );
  });
});
