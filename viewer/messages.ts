import type { ViewerAbout } from "../src/export/about-export";

/** What the page asks of the worker, which computes. */
export type Request =
  | { kind: "start"; backend: string | null }
  | { kind: "predict"; id: number; file: File }
  | { kind: "explain"; id: number; file: File; classIndex: number };

/** How unlike the training images an image is. */
export interface Likeness {
  /** To the nearest training image; above 1 is unlike all of them. Null where the classifier remembers none. */
  distance: number | null;
  unlike: string[];
}

/** Where in an image the classifier sees a class. */
export interface Explanation {
  /** RGBA, 0..255, shape [height, width, 4]. */
  picture: Uint8ClampedArray;
  overlay: Uint8ClampedArray;
  width: number;
  height: number;
  classIndex: number;
  /** Grad-CAM on the network's own grid, shape [rows, columns]. */
  map: { values: number[]; rows: number; columns: number };
}

/** What the worker answers. */
export type Answer =
  | { kind: "loading"; share: number }
  | { kind: "ready"; about: ViewerAbout; backend: string; difference: number; changesPixels: boolean }
  | { kind: "failed"; reason: string }
  | ({ kind: "predicted"; id: number; probabilities: number[]; thumbnail: Blob } & Likeness)
  | { kind: "explained"; id: number; explanation: Explanation }
  | { kind: "unreadable"; id: number; reason: string };
