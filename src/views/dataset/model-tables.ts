import type { Backbone } from "../../model/backbones/architecture";
import { type PlainTable, plainTable } from "../display/plain-table";

/** The backbone's layers from image to features, with the shape each leaves and its number of parameters. */
export function backboneTable(backbone: Backbone): PlainTable {
  const rows = backbone.layers.map((layer) => ({
    layer: layer.name,
    kind: layer.kind,
    "output shape": layer.outputShape.join(" × "),
    parameters: Number.isNaN(layer.parameters) ? null : layer.parameters,
  }));
  return plainTable(
    rows,
    `${backbone.name}: ${backbone.parameterCount?.toLocaleString("en-US") ?? "an unknown number of"} parameters, frozen`,
  );
}

/**
 * The head's layers from features to probabilities, with their numbers of parameters.
 *
 * @param hiddenUnits - Units of the hidden layers, first to last.
 */
export function headTable(
  featureWidth: number,
  hiddenUnits: readonly number[],
  classCount: number,
): PlainTable {
  const widths = [featureWidth, ...hiddenUnits, classCount];
  const rows = widths.slice(1).map((units, i) => ({
    layer: i === hiddenUnits.length ? "Dense, softmax" : "Dense, ReLU",
    inputs: widths[i]!,
    units,
    parameters: (widths[i]! + 1) * units,
  }));
  const total = rows.reduce((sum, row) => sum + row.parameters, 0);
  return plainTable(rows, `The head: ${total.toLocaleString("en-US")} parameters, trained`);
}
