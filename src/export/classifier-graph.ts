import { requireOpen } from "../model/backbones/architecture";
import { type GraphWriter, type NetworkGraph, startGraph } from "../model/backbones/network-graph";
import type { Classifier } from "../model/classifier/classifier";
import { type Head, headClassCount } from "../model/classifier/head";
import { headMembers } from "../model/classifier/head-members";
import { pushAll } from "../runtime/many";

/** The name of what a backbone gives. */
const featuresNode = "features";

/** Adds a head's layers, whose names begin with `prefix`; returns the name of its probabilities. */
function addHead(graph: GraphWriter, features: string, { layers }: Head, prefix: string): string {
  let current = features;
  for (const [i, { kernel, bias, inputs, units, activation }] of layers.entries()) {
    const isLast = i === layers.length - 1;
    current = graph.add(`${prefix}${isLast ? "logits" : `dense_${i + 1}`}`, [current], {
      kind: "dense",
      kernel,
      kernelShape: [inputs, units],
      bias,
      activation: activation === "softmax" ? "linear" : activation,
    });
  }
  return graph.add(`${prefix}probabilities`, [current], { kind: "softmax" });
}

/**
 * A whole classifier as one graph: preprocessing, backbone, pooling and head; RGB pixels in, shape
 * [n, inputSize, inputSize, 3], probabilities out, shape [n, classCount].
 *
 * An ensemble's heads stand side by side, `head_1_…` and on, and their probabilities are averaged.
 *
 * Stain normalisation is not in it: it looks at an image's percentiles before it changes a pixel.
 *
 * @throws Error if the backbone is somebody else's, of which no graph is known here.
 */
export function describeClassifier({ backbone, head }: Pick<Classifier, "backbone" | "head">): NetworkGraph {
  const graph = startGraph();
  pushAll(graph.nodes, requireOpen(backbone, "An export for other programs").describe());
  const last = graph.nodes[graph.nodes.length - 1]!.name;
  graph.add(featuresNode, [last], { kind: "poolGlobally" });
  addHeads(graph, head);
  return graph.nodes;
}

/** The part of a classifier behind its backbone, whose features come in as `features`. */
export function describeHead(head: Head): NetworkGraph {
  const graph = startGraph();
  addHeads(graph, head);
  return graph.nodes;
}

/** Adds all heads of a classifier, and the mean of their answers where they are several. */
function addHeads(graph: GraphWriter, head: Head): void {
  const current = featuresNode;
  const members = headMembers(head);
  if (members.length === 1) {
    addHead(graph, current, members[0]!, "");
    return;
  }
  const answers = members.map((member, i) => addHead(graph, current, member, `head_${i + 1}_`));
  const sum = graph.add("sum", answers, { kind: "add", activation: "linear" });
  const classes = headClassCount(head);
  // The mean, by the operations that there are.
  const kernel = Float32Array.from({ length: classes ** 2 }, (_, i) =>
    i % (classes + 1) === 0 ? 1 / members.length : 0,
  );
  const scaling = { kernel, kernelShape: [classes, classes], bias: new Float32Array(classes) };
  graph.add("probabilities", [sum], { kind: "dense", activation: "linear", ...scaling });
}
