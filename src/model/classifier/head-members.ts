// Without anything of Node: the viewer's page explains with it, too.

/** One dense layer; plain arrays, so that a head is copied, compared and saved without TensorFlow. */
export interface HeadLayer {
  /** Shape [inputs, units], row by row. */
  kernel: Float32Array;
  /** Shape [units]. */
  bias: Float32Array;
  inputs: number;
  units: number;
  activation: "relu" | "softmax";
}

/** What turns features into probabilities: dense layers, ReLU between them, softmax at the end. */
export interface Head {
  layers: HeadLayer[];
  /** Of an ensemble: further heads of the same shape, whose probabilities are averaged with this one's. */
  others?: readonly Pick<Head, "layers">[];
}

/** The heads that an ensemble averages; of any other head, itself alone. */
export function headMembers({ layers, others = [] }: Head): Head[] {
  return [{ layers }, ...others.map((other) => ({ layers: other.layers }))];
}

const shapeOf = ({ layers }: Head): string =>
  [layers[0]!.inputs, ...layers.map(({ units }) => units)].join(" → ");

/**
 * Makes one head of several: its probabilities are the means of theirs.
 *
 * Where each was trained without some of the patients, as in a cross-validation, the mean depends less on who happened to
 * be left out, and how far they disagree says something of the answer (Lakshminarayanan et al., NeurIPS 2017).
 *
 * @param heads - At least one, all of one shape; ensembles count with all of theirs.
 * @throws RangeError if there is none, or shapes differ.
 */
export function ensembleOf(heads: readonly Head[]): Head {
  const [first, ...others] = heads.flatMap(headMembers);
  if (first === undefined) throw new RangeError("There is no head to make an ensemble of.");
  const odd = others.find((other) => shapeOf(other) !== shapeOf(first));
  if (odd !== undefined) {
    throw new RangeError(`An ensemble's heads have one shape, found ${shapeOf(first)} and ${shapeOf(odd)}.`);
  }
  return others.length === 0 ? first : { ...first, others };
}
