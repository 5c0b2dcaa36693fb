import { csvText } from "../../data/csv";
import type { Classifier } from "../../model/classifier/classifier";
import type { PicturePrediction, TileAnswer } from "../../model/pictures/predict-tiles";
import { classColours } from "../display/colours";

type Classes = Pick<Classifier, "classes" | "positiveClass">;
type Answered = Pick<PicturePrediction, "path" | "tiles">;

/** A polygon's outer ring, counter-clockwise on a map (RFC 7946); QuPath's y grows downwards. */
function ringOf({ left, top, width, height }: TileAnswer): [number, number][] {
  const [right, bottom] = [left + width, top + height];
  return [
    [left, top],
    [right, top],
    [right, bottom],
    [left, bottom],
    [left, top],
  ];
}

const rgbOf = (hex: string) => [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16));

/**
 * Encodes a picture's tiles as GeoJSON that QuPath opens: one rectangle a tile in pixels of the full resolution, with its
 * class, the class' colour, and as measurements each probability and the distance to the training images.
 *
 * QuPath's own fields (objectType, classification, measurements) as its documentation describes them, "Exporting
 * annotations".
 */
export function* encodeTilesGeoJson(
  { tiles }: Answered,
  { classes, positiveClass }: Classes,
): Generator<string> {
  const colours = classColours(classes, positiveClass).map(rgbOf);
  yield '{"type":"FeatureCollection","features":[';
  for (const [i, tile] of tiles.entries()) {
    const { probabilities, predicted, distance, unlike } = tile;
    const measurements = {
      ...Object.fromEntries(classes.map((name, label) => [`probability of ${name}`, probabilities[label]!])),
      ...(distance === null || !Number.isFinite(distance) ? {} : { "distance to training images": distance }),
      ...(distance === null ? {} : { "unlike training images": unlike.length > 0 ? 1 : 0 }),
    };
    const feature = {
      type: "Feature",
      geometry: { type: "Polygon", coordinates: [ringOf(tile)] },
      properties: {
        objectType: "tile",
        classification: { name: classes[predicted]!, color: colours[predicted]! },
        isLocked: true,
        measurements,
      },
    };
    yield `${i === 0 ? "\n" : ",\n"}${JSON.stringify(feature)}`;
  }
  yield "\n]}\n";
}

/** Encodes a picture's tiles as CSV, one row a tile, places in pixels of the full resolution. */
export function* encodeTilesCsv(
  { path, tiles }: Answered,
  { classes, positiveClass }: Classes,
): Generator<string> {
  const probabilityColumns = classes.map((name) => `probability of ${name}`);
  const columns = [
    "file",
    "column",
    "row",
    "left",
    "top",
    "width",
    "height",
    "probabilityMalignant",
    "predicted",
  ];
  const header = [...columns, "predictedClass", "distance", "warnings", ...probabilityColumns];
  yield `${header.map(csvText).join(",")}\n`;
  const file = csvText(path);
  for (const tile of tiles) {
    const { column, row, left, top, width, height, probabilities, predicted, distance, unlike } = tile;
    const positive = positiveClass === null ? "" : probabilities[positiveClass]!;
    const warnings = csvText(unlike.map(({ text }) => text).join("; "));
    const name = csvText(classes[predicted]!);
    const cells = [
      file,
      column,
      row,
      left,
      top,
      width,
      height,
      positive,
      predicted,
      name,
      distance ?? "",
      warnings,
    ];
    yield `${[...cells, ...probabilities].join(",")}\n`;
  }
}
