import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { BackboneDetails } from "../../../src/runtime/settings";
import { drawImages } from "../data/drawn-images";
import { readFloats } from "../numbers";
import { runPython } from "../python";

const program = readFileSync(join(__dirname, "onnx_networks.py"), "utf8");

/** Edge of the images that the networks take, in pixels, and features of a cell. */
export const networkSize = 32;
export const networkWidth = 6;

/** How ImageNet's networks commonly are fed, in our own words. */
export const imagenetDetails: BackboneDetails = {
  channels: "RGB",
  scale: 1 / 255,
  mean: [0.485, 0.456, 0.406],
  deviation: [0.229, 0.224, 0.225],
  interpolation: "bicubic",
};

/** Small ONNX files, and images with what the reference implementation of ONNX makes of them. */
export interface OnnxNetworks {
  folder: string;
  /** RGB, 0..255, shape [count, 32, 32, 3]. */
  pixels: Uint8Array;
  count: number;
  /** Values of an output for all images. */
  expected(network: string, output: string): Float32Array;
}

/** Writes the networks into an empty folder. */
export function writeOnnxNetworks(folder: string, count = 6): OnnxNetworks {
  const pixels = drawImages(count, networkSize);
  writeFileSync(join(folder, "pixels.bin"), pixels);
  runPython(program, [folder]);
  return {
    folder,
    pixels,
    count,
    expected: (network, output) => readFloats(join(folder, `${network}.${output}.bin`)),
  };
}
