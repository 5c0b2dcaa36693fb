import { write } from "node:fs";
import { open, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { promisify } from "node:util";

/** Something that takes bytes, not always all that it is given. */
export interface Output {
  /** @returns How many bytes were taken. */
  write(bytes: Uint8Array): Promise<number>;
}

/** An output that is somebody else's to read meanwhile. */
export interface OpenOutput extends Output {
  close(): Promise<void>;
}

/** Names that stand for what the process has open already. */
const ownOutput = /^\/(?:dev\/(?:(stdout)|(stderr)|fd\/(\d+))|proc\/(?:self|thread-self)\/fd\/(\d+))$/;

function ownDescriptor(path: string): number | null {
  const match = ownOutput.exec(resolve(path));
  if (match === null) return null;
  const [, stdout, stderr, device, process] = match;
  if (stdout !== undefined) return 1;
  return stderr === undefined ? Number(device ?? process) : 2;
}

const writeDescriptor = promisify(write);
const pauseMs = 5;

/** Whoever opened it may have said that writing must not wait. */
async function writeWhenReady(descriptor: number, bytes: Uint8Array): Promise<number> {
  for (;;) {
    try {
      return (await writeDescriptor(descriptor, bytes, 0, bytes.byteLength, null)).bytesWritten;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
      await wait(pauseMs);
    }
  }
}

/** @throws Error with the reason where something is there that no result can be written into. */
async function isPipeOrTerminal(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => null);
  if (found === null || found.isFile()) return false;
  if (found.isFIFO() || found.isCharacterDevice()) return true;
  if (found.isDirectory()) throw new Error("it is a folder");
  throw new Error(found.isSocket() ? "it is a socket" : "it is a disk");
}

/**
 * Whether a name is one to write into, which a file must not take the place of.
 *
 * @throws Error with the reason where something is there that no result can be written into.
 */
export async function leadsInto(path: string): Promise<boolean> {
  return ownDescriptor(path) !== null || (await isPipeOrTerminal(path));
}

/**
 * Opens what a name leads to if it is a pipe, a terminal, `/dev/null` or one of the process' own outputs.
 *
 * @returns Null where a file is to be written.
 * @throws As `leadsInto`.
 */
export async function openOutput(path: string): Promise<OpenOutput | null> {
  const descriptor = ownDescriptor(path);
  if (descriptor !== null) {
    return { write: (bytes) => writeWhenReady(descriptor, bytes), close: async () => undefined };
  }
  if (!(await isPipeOrTerminal(path))) return null;
  // Opening a pipe waits for its reader.
  const file = await open(path, "w");
  return { write: (bytes) => writeWhenReady(file.fd, bytes), close: () => file.close() };
}
