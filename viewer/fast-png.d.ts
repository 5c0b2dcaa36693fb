// fast-png tells its types by an exports map, which the resolution that tslab shares with this project does not read.
declare module "fast-png" {
  /** What is used here of a decoded PNG (fast-png 8.0.0). */
  export interface DecodedPng {
    width: number;
    height: number;
    /** Bits a sample; samples of fewer than 8 share bytes, rows begin with a new one. */
    depth: 1 | 2 | 4 | 8 | 16;
    channels: number;
    data: Uint8Array | Uint8ClampedArray | Uint16Array;
    /** RGB, or RGB and alpha, 0..255. */
    palette?: number[][];
    /** The grey or colour that stands for what is transparent. */
    transparency?: Uint16Array;
  }
  export function decode(data: Uint8Array, options?: { checkCrc?: boolean }): DecodedPng;
}
