import { Reader } from "protobufjs/minimal";

/** A field of a message of Protocol Buffers: its number, and the bytes or the whole number that it holds. */
export interface WireField {
  number: number;
  /** Of texts, messages and packed numbers; shares the message's memory. */
  bytes: Uint8Array | null;
  value: number | null;
}

const [varint, delimited] = [0, 2];

/**
 * Goes through a message's fields, one level deep; numbers of 32 and 64 bits are passed over.
 *
 * @throws RangeError or Error if the bytes are no such message.
 */
export function* wireFields(message: Uint8Array): Generator<WireField, void, undefined> {
  const reader = Reader.create(message);
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    const [number, kind] = [tag >>> 3, tag & 7];
    if (kind === varint) yield { number, bytes: null, value: Number(reader.int64()) };
    else if (kind === delimited) yield { number, bytes: reader.bytes(), value: null };
    else reader.skipType(kind);
  }
}

/** The messages or texts that stand in a field of a message, in their order. */
export function wireParts(message: Uint8Array, number: number): Uint8Array[] {
  return [...wireFields(message)].flatMap((field) =>
    field.number === number && field.bytes !== null ? [field.bytes] : [],
  );
}

/** The text in a field of a message, of several the last one, which counts; empty where there is none. */
export function wireText(message: Uint8Array, number: number): string {
  const bytes = wireParts(message, number).at(-1);
  return bytes === undefined ? "" : Buffer.from(bytes).toString("utf8");
}

/** The message in a field that stands for one; several are one, each adding to those before. */
export function wireMessage(message: Uint8Array, number: number): Uint8Array {
  const parts = wireParts(message, number);
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
}
