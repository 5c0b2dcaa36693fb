import type { Dataset } from "../../data/dataset";
import type { Projection } from "../../model/features/projection";
import { axis, type Figure, titleWithOrigin } from "../display/figure";
import { type ColourBy, scatterOfImages } from "../display/scatter";

/**
 * Draws images where their features put them: the two directions in which features differ most.
 *
 * @param projection - Of the features of all the data set's records, two components or more.
 */
export function plotFeatureMap(dataset: Dataset, projection: Projection, colourBy: ColourBy): Figure {
  const { scores, count, explained } = projection;
  const along = (component: number) => dataset.records.map((_, row) => scores[row * count + component]!);
  const share = (component: number) => `${(100 * explained[component]!).toFixed(1)} % of the variance`;
  return scatterOfImages(dataset, along(0), along(1), colourBy, {
    title: titleWithOrigin(`Features of each image, by ${colourBy}`, dataset.synthetic),
    xaxis: axis(`first principal component, ${share(0)}`),
    yaxis: axis(`second principal component, ${share(1)}`),
    height: 520,
  });
}
