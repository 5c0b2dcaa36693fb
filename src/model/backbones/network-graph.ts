import type { Convolution } from "./convolutions";

type Activation = "linear" | "relu" | "relu6";

/** A layer's numbers, on the CPU. */
interface Weights {
  /** Shape [height, width, inputs, outputs], or [height, width, channels, 1] where each channel has its own. */
  kernel: Float32Array;
  kernelShape: number[];
  bias: Float32Array;
}

/** What one step of a network computes. */
export type GraphOperation =
  | { kind: "rescale"; scale: number /** One, or one a channel. */; offsets: number[] }
  | { kind: "pad"; pixels: number }
  | ({
      kind: "convolve" | "convolveDepthwise";
      stride: number;
      padding: "valid" | "same";
      activation: Activation;
    } & Weights)
  | { kind: "poolLargest"; window: number; stride: number }
  | { kind: "add"; activation: Activation }
  | { kind: "poolGlobally" }
  | ({ kind: "dense"; activation: Activation } & Weights)
  | { kind: "softmax" };

/** One step of a network: what it is called, what it takes, what it computes. */
export type GraphNode = GraphOperation & {
  /** Unlike any other's; letters, digits and underscores. */
  name: string;
  /** Names of nodes before it; `imageNode` is where images come in. */
  inputs: string[];
};

/**
 * A network as plain data, in the order in which it is computed; the last node is its result. What other programs
 * (Keras, browsers) get of a network is made from this alone.
 *
 * Images go in as RGB, 0..255, shape [n, inputSize, inputSize, 3].
 */
export type NetworkGraph = GraphNode[];

/** The name of what goes into a network. */
export const imageNode = "images";

/** A graph that is being written down, step by step; each step's answer is the name to give to the next one. */
export interface GraphWriter {
  nodes: NetworkGraph;
  add(name: string, inputs: string[], operation: GraphOperation): string;
  convolve(
    name: string,
    input: string,
    convolution: Convolution,
    padding: "valid" | "same",
    activation: Activation,
  ): string;
  convolveDepthwise(name: string, input: string, convolution: Convolution): string;
}

/** Begins a graph. */
export function startGraph(): GraphWriter {
  const nodes: NetworkGraph = [];
  const add = (name: string, inputs: string[], operation: GraphOperation): string => {
    nodes.push({ ...operation, name, inputs });
    return name;
  };
  const weightsOf = ({ kernel, bias }: Convolution): Weights => ({
    kernel: kernel.dataSync<"float32">().slice(),
    kernelShape: [...kernel.shape],
    bias: bias.dataSync<"float32">().slice(),
  });
  return {
    nodes,
    add,
    convolve(name, input, convolution, padding, activation) {
      const { stride } = convolution;
      const weights = weightsOf(convolution);
      return add(name, [input], { kind: "convolve", stride, padding, activation, ...weights });
    },
    convolveDepthwise(name, input, convolution) {
      const { stride } = convolution;
      const weights = weightsOf(convolution);
      const fixed = { kind: "convolveDepthwise", padding: "same", activation: "relu6" } as const;
      return add(name, [input], { ...fixed, stride, ...weights });
    },
  };
}
