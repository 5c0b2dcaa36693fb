/** Decoded numbers, before they are 8-bit RGB. */
export interface Samples {
  /** Shape [height, width, channels]; 8-bit or 16-bit. */
  values: Uint8Array | Uint16Array;
  /** Grey (1), grey and another (2), RGB (3), RGB and another (4). */
  channels: number;
  /** What the last channel of 2 or 4 is. */
  alpha: "none" | "straight" | "unused";
  /** The largest value where fewer than all 16 bits are used, else null. */
  whitest: number | null;
}

/** 8-bit RGB, shape [height, width, 3], and what looks wrong in it (null where nothing does), both as the rest of a sentence. */
export type RgbSamples = { ok: true; rgb: Uint8Array; note: string | null } | { ok: false; reason: string };

const allOf16Bits = 65535;
/** Pictures with no number above this use no more than 12 bits, or 8. */
const suspiciousLimit = 4095;

/** The largest of many numbers. */
function largestOf(values: Uint16Array): number {
  let largest = 0;
  for (const value of values) if (value > largest) largest = value;
  return largest;
}

/** 16-bit numbers as 8-bit ones: their high byte or, where fewer bits are used, their share of the largest. */
function reduce(values: Uint16Array, whitest: number | null): Uint8Array {
  const reduced = new Uint8Array(values.length);
  if (whitest === null) for (let i = 0; i < values.length; i++) reduced[i] = values[i]! >> 8;
  else {
    const scale = 255 / whitest;
    for (let i = 0; i < values.length; i++) reduced[i] = Math.round(values[i]! * scale);
  }
  return reduced;
}

function noteOn(largest: number): string | null {
  if (largest === 0 || largest > suspiciousLimit) return null;
  const bits = largest <= 255 ? 8 : Math.ceil(Math.log2(largest + 1));
  return `its 16-bit numbers reach only ${largest} of ${allOf16Bits}, so it is near-black; ${bits} bits?`;
}

function isTransparent(values: Uint8Array, channels: number): boolean {
  for (let i = channels - 1; i < values.length; i += channels) if (values[i] !== 0) return false;
  return true;
}

/** A colour on white, as libvips lays 8-bit ones: rounded down. */
const onWhite = (colour: number, alpha: number) => Math.floor((colour * alpha + 255 * (255 - alpha)) / 255);

/** What is made of a picture that is wholly transparent. */
export type WhollyTransparent = "refused" | "white";

/**
 * Turns decoded numbers into 8-bit RGB: 16 bits are reduced first, then grey becomes three alike, and what is
 * transparent is laid on white, as a slide's background.
 *
 * @param transparent - A part of a picture may be wholly transparent, a picture by default not.
 * @returns The very values, not a copy, where they are 8-bit RGB already; a reason if the picture is wholly transparent,
 * or its numbers exceed the range that the file itself announces.
 *
 * @example
 * const grey = { values: Uint8Array.of(7, 9), channels: 1, alpha: "none", whitest: null } as const;
 * toRgbSamples(grey); // { ok: true, rgb: Uint8Array.of(7, 7, 7, 9, 9, 9), note: null }
 */
export function toRgbSamples(
  { values, channels, alpha, whitest }: Samples,
  transparent: WhollyTransparent = "refused",
): RgbSamples {
  let note: string | null = null;
  let reduced: Uint8Array;
  if (values instanceof Uint16Array) {
    const largest = largestOf(values);
    if (whitest !== null && largest > whitest) {
      const reason = `its numbers reach ${largest}, though it announces ${whitest} at most; save it as 8-bit RGB`;
      return { ok: false, reason };
    }
    note = whitest === null ? noteOn(largest) : null;
    reduced = reduce(values, whitest);
  } else reduced = values;
  if (channels === 3) return { ok: true, rgb: reduced, note };
  const hasAlpha = channels !== 1 && alpha === "straight";
  if (hasAlpha && transparent === "refused" && isTransparent(reduced, channels)) {
    return { ok: false, reason: "all of it is transparent" };
  }
  const count = reduced.length / channels;
  const rgb = new Uint8Array(3 * count);
  const step = channels < 3 ? 0 : 1;
  for (let pixel = 0; pixel < count; pixel++) {
    const from = pixel * channels;
    const opacity = hasAlpha ? reduced[from + channels - 1]! : 255;
    for (let c = 0; c < 3; c++) rgb[3 * pixel + c] = onWhite(reduced[from + c * step]!, opacity);
  }
  return { ok: true, rgb, note };
}
