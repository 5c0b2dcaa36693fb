import type { BackboneDetails } from "../../runtime/settings";

/** How somebody else's network is opened. */
export type NetworkFormat = "onnx" | "savedmodel" | "keras";

/** How an image of another size becomes the square that a backbone sees. */
export type Interpolation = NonNullable<BackboneDetails["interpolation"]>;

/** How a network's output becomes one row of features. */
export type Pooling = NonNullable<BackboneDetails["pooling"]>;

/** Everything that is done around somebody else's network: (pixel * scale - mean) / deviation goes in, a row comes out. */
export type BackboneRecipe = { [Name in keyof BackboneDetails]-?: NonNullable<BackboneDetails[Name]> } & {
  format: NetworkFormat;
};
