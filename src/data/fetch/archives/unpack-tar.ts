import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { extract, type Header } from "tar-stream";
import { damaged } from "../download-problems";
import type { ArchiveKeeper, ArchiveMember } from "./archive-keeper";
import { type ArchiveLimits, checkExpansion } from "./archive-limits";

const otherKinds: Record<string, string> = {
  link: "a hard link",
  symlink: "a symbolic link",
  "character-device": "a device",
  "block-device": "a device",
  fifo: "a named pipe",
};

/** A tar archive ends with blocks of zeros; one of them is the least that programs write. */
const blockBytes = 512;

function memberOf({ name, type, size }: Header): ArchiveMember {
  if (type === "file" || type === "contiguous-file") return { name, kind: "file", size };
  if (type === "directory") return { name, kind: "folder", size: 0 };
  return { name, kind: { other: otherKinds[type ?? ""] ?? "something that is no file" }, size };
}

/** Counts what passes and remembers the end. */
function meter(onBytes: (total: number) => void): { stream: Transform; endsWithZeros(): boolean } {
  let total = 0;
  let tail: Buffer = Buffer.alloc(0);
  const stream = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      total += chunk.length;
      tail = chunk.length >= blockBytes ? chunk : Buffer.concat([tail, chunk]);
      tail = Buffer.from(tail.subarray(-blockBytes));
      try {
        onBytes(total);
        done(null, chunk);
      } catch (error) {
        done(error as Error);
      }
    },
  });
  return { stream, endsWithZeros: () => tail.length === blockBytes && tail.every((byte) => byte === 0) };
}

/**
 * Unpacks a tar archive as it arrives; only what the keeper wants reaches the disk.
 *
 * @param compressed - Whether it is compressed with gzip, whose checksum is verified.
 * @throws Error whose message is the rest of a sentence.
 */
export async function unpackTar(
  content: AsyncIterable<Uint8Array>,
  compressed: boolean,
  keeper: ArchiveKeeper,
  limits: ArchiveLimits,
): Promise<void> {
  let packed = 0;
  async function* counted() {
    for await (const chunk of content) {
      packed += chunk.length;
      yield chunk;
    }
  }
  const plain = meter((unpacked) => checkExpansion(packed, unpacked, limits));
  const archive = extract();
  const stages = compressed ? [createGunzip(), plain.stream] : [plain.stream];
  let reason: unknown = null;
  const note = (error: unknown) => {
    reason ??= error;
  };
  // Whoever fails stops the others, and they complain too; the first reason is the one to tell.
  const flow = pipeline([
    Readable.from(counted()),
    ...stages,
    archive as unknown as NodeJS.WritableStream,
  ]).catch(note);
  try {
    for await (const entry of archive) {
      const member = memberOf(entry.header);
      try {
        const file = keeper.admit(member);
        if (file === null) entry.resume();
        else await keeper.write(file, member.size, entry as AsyncIterable<Uint8Array>);
      } catch (error) {
        note(error);
        throw error;
      }
    }
  } catch (error) {
    note(error);
  }
  await flow;
  if (reason !== null) throw explainTarError(reason);
  if (!plain.endsWithZeros()) throw damaged("it ends before its end mark: a part is missing");
}

function explainTarError(error: unknown): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === "Z_BUF_ERROR" || message === "Unexpected end of data") return damaged("its end is missing");
  if (code?.startsWith("Z_")) return damaged(`its compressed content is broken (${message})`);
  if (/^Invalid (?:tar )?header|^Header exceeds/.test(message))
    return damaged("it is no tar archive or a broken one");
  return error;
}
