/** Text of one byte a character, as formats write their names. */
export const latin1 = (bytes: Uint8Array): string => new TextDecoder("latin1").decode(bytes);

/** The bytes of a file that are at hand, or of which only parts are read. */
export interface ByteSource {
  readonly length: number;
  /** Those from `start` to before `end`, which lies within the file. */
  part(start: number, end: number): Uint8Array;
  /** The first ones, as many as a description takes that stands before the pixels; all of what is at hand. */
  head(): Uint8Array;
}

/** A file whose bytes are at hand. */
export const atHand = (bytes: Uint8Array): ByteSource => ({
  length: bytes.length,
  part: (start, end) => bytes.subarray(start, end),
  head: () => bytes,
});

/** Numbers of several bytes in a part of a file. */
export const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
