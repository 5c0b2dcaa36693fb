/** Large enough that rounding shows, with edges that don't divide evenly. */
export const patternWidth = 61;
export const patternHeight = 43;
export const patternPixels = patternWidth * patternHeight;

/** A pattern with detail in each channel, 0..255; channel 3 serves as an alpha that is partly transparent. */
export const patternAt = (pixel: number, channel: number): number =>
  (pixel * 7 + channel * 61 + ((pixel * pixel) >> 4) + 13 * Math.floor(pixel / patternWidth)) % 256;

/** Values of a picture, channel by channel within each pixel. */
export const drawPattern = (channels: number, at: (pixel: number, channel: number) => number = patternAt) =>
  Array.from({ length: patternPixels * channels }, (_, i) => at(Math.floor(i / channels), i % channels));

/** A colour on white, exactly. */
export const laidOnWhite = (colour: number, alpha: number) => 255 + ((colour - 255) * alpha) / 255;

/** An EXIF block that says nothing but an orientation. */
export const exifWithOrientation = (orientation: number): Buffer => {
  const exif = Buffer.from("4d4d002a000000080001011200030000000100000000000000000000", "hex");
  exif.writeUInt16BE(orientation, 18);
  return exif;
};

/** One kind of file, and what is to come of it. */
export interface FileKind {
  /** With its ending. */
  name: string;
  encode: () => Promise<Buffer> | Buffer;
  /** RGB of the upright picture; null where only compression decides, or the reason why it is left out. */
  expected: ArrayLike<number> | null | RegExp;
  /** How far a value may be off, in levels; by default 0. */
  tolerance?: number;
  /** Why the viewer refuses what Node reads; left out where both do the same. */
  viewerRefuses?: RegExp;
}
