import { openTrainingGraph, type TrainingGraph, type TrainingGraphShape } from "./training-graph";

interface IdleGraph {
  shape: TrainingGraphShape;
  graph: TrainingGraph;
}

// Opening a graph takes TensorFlow as long as a small training; cross-validation asks for the same one many times.
const mostIdle = 4;

// Graphs that were made before this module was loaded anew may compute what is no longer in the code.
const idleKey = Symbol.for("breakhis-lab.idle-training-graphs");
const holder = globalThis as unknown as Record<symbol, IdleGraph[] | undefined>;
for (const { graph } of holder[idleKey] ?? []) graph.session.dispose();
const idle: IdleGraph[] = [];
holder[idleKey] = idle;

function isSame(one: TrainingGraphShape, other: TrainingGraphShape): boolean {
  return (
    one.gradientMethod === other.gradientMethod &&
    one.batchSize === other.batchSize &&
    one.masked === other.masked &&
    one.viewed === other.viewed &&
    one.fed === other.fed &&
    one.l2 === other.l2 &&
    one.widths.join() === other.widths.join()
  );
}

/** A graph of this shape that nobody uses, or a new one. Its variables are to be started. */
export function takeTrainingGraph(shape: TrainingGraphShape): TrainingGraph {
  const position = idle.findIndex((entry) => isSame(entry.shape, shape));
  if (position < 0) return openTrainingGraph(shape);
  return idle.splice(position, 1)[0]!.graph;
}

/** Keeps a graph, whose variables have ended, for the next training of its shape. */
export function returnTrainingGraph(shape: TrainingGraphShape, graph: TrainingGraph): void {
  idle.unshift({ shape, graph });
  for (const { graph: oldest } of idle.splice(mostIdle)) oldest.session.dispose();
}
