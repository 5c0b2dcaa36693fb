import { requireOpen } from "../model/backbones/architecture";
import { type NetworkGraph, startGraph } from "../model/backbones/network-graph";
import type { Classifier } from "../model/classifier/classifier";
import { pushAll } from "../runtime/many";

/**
 * A whole classifier as one graph: preprocessing, backbone, pooling and head; RGB pixels in, shape
 * [n, inputSize, inputSize, 3], probabilities out, shape [n, classCount].
 *
 * Stain normalisation is not in it: it looks at an image's percentiles before it changes a pixel.
 *
 * @throws Error if the backbone is somebody else's, of which no graph is known here.
 */
export function describeClassifier({ backbone, head }: Pick<Classifier, "backbone" | "head">): NetworkGraph {
  const graph = startGraph();
  pushAll(graph.nodes, requireOpen(backbone, "An export for other programs").describe());
  let current = graph.nodes[graph.nodes.length - 1]!.name;
  current = graph.add("features", [current], { kind: "poolGlobally" });
  for (const [i, { kernel, bias, inputs, units, activation }] of head.layers.entries()) {
    const isLast = i === head.layers.length - 1;
    current = graph.add(isLast ? "logits" : `dense_${i + 1}`, [current], {
      kind: "dense",
      kernel,
      kernelShape: [inputs, units],
      bias,
      activation: activation === "softmax" ? "linear" : activation,
    });
  }
  graph.add("probabilities", [current], { kind: "softmax" });
  return graph.nodes;
}
