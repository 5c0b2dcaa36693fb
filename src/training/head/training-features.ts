import { type StoredRows, storedRows } from "../../model/features/feature-rows";
import type { GraphShape } from "../../runtime/native/graph-def";
import { addVariable, type GraphVariable } from "../../runtime/native/graph-variables";
import type { Feed, GraphValue, NativeGraph } from "../../runtime/native/native-graph";
import type { LabelledRows } from "./training-data";

/** The two parts of the data. */
export type PartName = "train" | "validation";

/** What is learned from and evaluated, what is only evaluated, and what is learned from instead of the former. */
export type StepParts = Readonly<Record<PartName, LabelledRows> & { views?: LabelledRows }>;

/** Features in a graph: as many as it is given. */
export interface FeatureInput {
  value: GraphValue;
  shape: GraphShape;
}

/** Where a training's graph has its features from. */
export interface GraphFeatures {
  /** Variables with all features of each part; none where features are fed. */
  held: Readonly<Partial<Record<PartName | "views", GraphVariable>>>;
  /** What a step learns from, shape [batchSize, width]. */
  batch: GraphValue;
  /** What is evaluated. Where features are fed that is one input, for one block of rows after the other. */
  evaluated: { readonly train: FeatureInput; readonly validation: FeatureInput };
}

/** Names of the placeholders. */
export const featureFeeds = {
  rows: "rows",
  batch: "batch-features",
  evaluated: "evaluated-features",
} as const;

/** Rows that are evaluated at a time where features are fed: 2,048 values each make 32 MB. */
const rowsAtOnce = 4096;

/** All features live in the session, and a batch says which rows it is made of. */
export function addHeldFeatures(
  graph: NativeGraph,
  { width, batchSize, viewed }: { width: number; batchSize: number; viewed: boolean },
): GraphFeatures {
  const train = addVariable(graph, "train-features", [null, width], "feed");
  const validation = addVariable(graph, "validation-features", [null, width], "feed");
  const views = viewed ? addVariable(graph, "views-features", [null, width], "feed") : null;
  const rows = graph.placeholder(featureFeeds.rows, "int32", [batchSize]);
  // Gathered from the variable itself, TensorFlow would from then on copy all of it wherever it is read.
  const axis = graph.constant("batch-axis", Int32Array.of(0), []);
  const batch = graph.add(featureFeeds.batch, "GatherV2", [(views ?? train).value, rows, axis], {
    attributes: { Tparams: { type: "float32" }, Tindices: { type: "int32" }, Taxis: { type: "int32" } },
  });
  const held = { train, validation, ...(views === null ? {} : { views }) };
  return { held, batch, evaluated: { train, validation } };
}

/** Features stay outside, where there are more than memory holds: what a run works on is fed. */
export function addFedFeatures(
  graph: NativeGraph,
  { width, batchSize }: { width: number; batchSize: number },
): GraphFeatures {
  const batch = graph.placeholder(featureFeeds.batch, "float32", [batchSize, width]);
  const shape = [null, width];
  const input = { value: graph.placeholder(featureFeeds.evaluated, "float32", shape), shape };
  return { held: {}, batch, evaluated: { train: input, validation: input } };
}

/** Reads what is fed, a batch or a block after the other into the same memory. */
export class FeatureFeeder {
  private readonly evaluated: Readonly<Record<PartName, StoredRows>>;
  private readonly learned: StoredRows;
  private readonly batch: Float32Array;
  private readonly width: number;

  constructor(parts: StepParts, batchSize: number) {
    const { train, validation, views = train } = parts;
    this.width = train.width;
    this.evaluated = {
      train: storedRows(train.values, train.width),
      validation: storedRows(validation.values, train.width),
    };
    this.learned = storedRows(views.values, train.width);
    this.batch = new Float32Array(batchSize * this.width);
  }

  batchOf(rows: Int32Array): Record<string, Feed> {
    for (let i = 0; i < rows.length; i++) this.learned.read(rows[i]!, this.batch, i * this.width);
    return { [featureFeeds.batch]: { float32: this.batch, shape: [rows.length, this.width] } };
  }

  /** A part's rows, block by block; a block is to be used before the next one is asked for. */
  *blocksOf(part: PartName): Generator<Record<string, Feed>> {
    const source = this.evaluated[part];
    const block = new Float32Array(Math.min(rowsAtOnce, source.count) * this.width);
    for (let first = 0; first < source.count; first += rowsAtOnce) {
      const count = Math.min(rowsAtOnce, source.count - first);
      for (let i = 0; i < count; i++) source.read(first + i, block, i * this.width);
      const float32 = block.subarray(0, count * this.width);
      yield { [featureFeeds.evaluated]: { float32, shape: [count, this.width] } };
    }
  }
}
