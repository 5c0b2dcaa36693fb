import type { DataFrame } from "danfojs-node";
import type { Backbone } from "../../model/backbones/architecture";
import { toDataFrame } from "../display/tables";

/** The backbone's layers from image to features, with the shape each leaves and its number of parameters. */
export function backboneTable(backbone: Backbone): DataFrame {
  const rows = backbone.layers.map((layer) => ({
    layer: layer.name,
    kind: layer.kind,
    "output shape": layer.outputShape.join(" × "),
    parameters: layer.parameters,
  }));
  return toDataFrame(
    rows,
    `${backbone.name}: ${backbone.parameterCount.toLocaleString("en-US")} parameters, frozen`,
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
): DataFrame {
  const widths = [featureWidth, ...hiddenUnits, classCount];
  const rows = widths.slice(1).map((units, i) => ({
    layer: i === hiddenUnits.length ? "Dense, softmax" : "Dense, ReLU",
    inputs: widths[i]!,
    units,
    parameters: (widths[i]! + 1) * units,
  }));
  const total = rows.reduce((sum, row) => sum + row.parameters, 0);
  return toDataFrame(rows, `The head: ${total.toLocaleString("en-US")} parameters, trained`);
}
