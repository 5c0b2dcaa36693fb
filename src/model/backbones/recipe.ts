import type { BackboneDetails } from "../../runtime/settings";

/** How somebody else's network is opened. */
export type NetworkFormat = "onnx" | "savedmodel" | "keras";

/** How an image of another size becomes the square that a backbone sees. */
export type Interpolation = NonNullable<BackboneDetails["interpolation"]>;

/** How a network's output becomes one row of features. */
export type Pooling = NonNullable<BackboneDetails["pooling"]>;

/** Everything that is done around somebody else's network: (pixel * scale - mean) / deviation goes in, a row comes out. */
export interface BackboneRecipe {
  format: NetworkFormat;
  /** Width and height in pixels. */
  inputSize: number;
  channels: "RGB" | "BGR";
  /** Levels are 0..255. */
  scale: number;
  /** In the order of the channels, like the deviation. */
  mean: [number, number, number];
  deviation: [number, number, number];
  interpolation: Interpolation;
  layout: "NCHW" | "NHWC";
  /** Name of the output that features are made of. */
  output: string;
  pooling: Pooling;
  /** Tokens before those of the patches. */
  prefixTokens: number;
}
