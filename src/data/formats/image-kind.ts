/** Formats that are read. */
export type ImageFormat = "PNG" | "JPEG" | "TIFF" | "WebP";

/** What a colour profile asks for: nothing, or a conversion; "srgb" is one whose numbers are sRGB's already. */
export type ProfileKind = "none" | "srgb" | "other";

/** What an image's numbers are, as its own file says; nothing of it is guessed. */
export interface ImageKind {
  format: ImageFormat;
  /** In pixels, as they are stored: before any rotation. */
  width: number;
  height: number;
  /** Of one sample: 1, 2, 4, 8 or 16. */
  bits: number;
  /** JPEG's luma and chroma count as "rgb": every decoder turns them into it, by the same formula. */
  colours: "grey" | "rgb" | "palette" | "cmyk";
  /** What a sample beyond the colours is: transparency, or something that is left alone. */
  alpha: "none" | "straight" | "unused";
  profile: ProfileKind;
  /** The largest value of a 16-bit sample where the file says that fewer bits are used, for example 4095; else null. */
  whitest: number | null;
  /** Which of a TIFF's pages is the picture, from 0. */
  page: number;
  /** EXIF's, 1 to 8, as far as it is told here (PNG); 1 is upright. */
  orientation: number;
}

/** What is understood of a file, or the reason why it is left out, as the rest of a sentence. */
export type Understanding = { ok: true; kind: ImageKind } | { ok: false; reason: string };

export const leftOut = (reason: string): Understanding => ({ ok: false, reason });

/** The usual kind, of which each format tells what is different. */
export const usualKind: Omit<ImageKind, "format" | "width" | "height"> = {
  bits: 8,
  colours: "rgb",
  alpha: "none",
  profile: "none",
  whitest: null,
  page: 0,
  orientation: 1,
};
