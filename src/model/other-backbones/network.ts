/** A tensor as it goes in or comes out, first axis the images; null where an axis has any length. */
export interface TensorFacts {
  name: string;
  /** As its runtime calls it, for example "float32". */
  type: string;
  shape: (number | null)[];
  /** What the file calls each axis, where it does; by this alone an axis is known whose length is open. */
  axes?: readonly string[];
}

/** One of a network's outputs. */
export interface NetworkOutput {
  values: Float32Array;
  /** The first is the number of images. */
  shape: number[];
}

/** Somebody else's network, opened: what goes in, what comes out, and how it is run. */
export interface OpenedNetwork {
  /** The one input. */
  input: TensorFacts;
  outputs: TensorFacts[];
  /**
   * Computes one output.
   *
   * @param values - Fills the shape.
   * @throws Error with the runtime's reason.
   */
  run(values: Float32Array, shape: readonly number[], output: string): Promise<NetworkOutput>;
  dispose(): void;
}

/** A network that lies somewhere, looked at but not opened yet. */
export interface FoundNetwork {
  /** What it is called: the name of its file or folder. */
  name: string;
  /** Absolute: what the user named, file or folder. */
  location: string;
  /** Absolute: where what is said of it lies. */
  folder: string;
  /** Name of its file without its ending, for `<stem>.backbone.json`; null for a folder. */
  stem: string | null;
  /** Of all of its files, hexadecimal. */
  sha256: string;
  /** Null where it is not known. */
  parameterCount: number | null;
  /** What it is, for the table of layers, for example "ONNX graph of 122 steps". */
  kind: string;
  open(): Promise<OpenedNetwork>;
}

/** A shape as people read it. */
export const shapeText = (shape: readonly (number | null)[]): string =>
  `[${shape.map((length) => length ?? "any").join(", ")}]`;
