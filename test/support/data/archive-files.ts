import { crc32, deflateRawSync, gzipSync } from "node:zlib";
import { pack } from "tar-stream";

/** One member as a test wants it, however odd. */
export interface TestMember {
  name: string;
  content?: Buffer;
  /** Default "file". */
  type?: "file" | "directory" | "symlink" | "link" | "fifo" | "character-device" | "block-device";
  linkname?: string;
}

/** Packs a tar archive. */
export async function packTar(members: readonly TestMember[]): Promise<Buffer> {
  const archive = pack();
  for (const { name, content = Buffer.alloc(0), type = "file", linkname } of members) {
    const size = type === "file" ? content.length : 0;
    archive.entry(
      { name, type, size, mode: 0o644, mtime: new Date(0), ...(linkname ? { linkname } : {}) },
      content,
    );
  }
  archive.finalize();
  const chunks: Uint8Array[] = [];
  for await (const chunk of archive as AsyncIterable<Uint8Array>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Packs a tar.gz archive. */
export async function packTarGz(members: readonly TestMember[]): Promise<Buffer> {
  return gzipSync(await packTar(members));
}

/** What may be wrong with a zip archive. */
export interface ZipFaults {
  /** The Unix mode of all members. */
  mode?: number;
  /** Says that members are encrypted. */
  encrypted?: boolean;
  /** Announces this size for all members. */
  announcedSize?: number;
  /** Says that members are packed by the method of this number. */
  method?: number;
  /** Spoils the checksums. */
  wrongChecksum?: boolean;
  /** Lets all members of the directory point to the first one. */
  overlapping?: boolean;
}

/** Packs a zip archive, compressed, by hand: the tests need ones that no program would make. */
export function packZip(members: readonly TestMember[], faults: ZipFaults = {}): Buffer {
  const locals: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, content = Buffer.alloc(0) } of members) {
    const packed = deflateRawSync(content);
    const nameBytes = Buffer.from(name);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(0x800 | (faults.encrypted ? 1 : 0), 2);
    common.writeUInt16LE(faults.method ?? 8, 4);
    common.writeUInt32LE((crc32(content) ^ (faults.wrongChecksum ? 1 : 0)) >>> 0, 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(faults.announcedSize ?? content.length, 18);
    common.writeUInt16LE(nameBytes.length, 22);
    const local = Buffer.concat([Buffer.from("PK\x03\x04", "latin1"), common, nameBytes, packed]);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(((faults.mode ?? 0o100644) << 16) >>> 0, 6);
    rest.writeUInt32LE(faults.overlapping ? 0 : offset, 10);
    const madeBy = Buffer.from([20, 3]);
    directory.push(Buffer.from("PK\x01\x02", "latin1"), madeBy, common, rest, nameBytes);
    locals.push(local);
    offset += local.length;
  }
  const listing = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06", 0, "latin1");
  end.writeUInt16LE(members.length, 8);
  end.writeUInt16LE(members.length, 10);
  end.writeUInt32LE(listing.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...locals, listing, end]);
}
