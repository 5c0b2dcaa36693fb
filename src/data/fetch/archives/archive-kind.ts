/** How a file is packed, as its first bytes tell. */
export type ArchiveKind = "tar" | "tar.gz" | "zip";

/** As many first bytes as are needed to tell: a tar archive names itself at its 257th. */
export const headBytes = 512;

/**
 * Tells an archive's kind by its content; names and servers may say anything.
 *
 * @returns The kind, or what it is instead, as the rest of a sentence.
 */
export function archiveKindOf(head: Uint8Array): ArchiveKind | { other: string } {
  const bytes = Buffer.from(head.subarray(0, headBytes));
  if (bytes.length === 0) return { other: "it is empty" };
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return "tar.gz";
  const start = bytes.toString("latin1", 0, 4);
  if (start === "PK\x03\x04" || start === "PK\x05\x06") return "zip";
  if (bytes.toString("latin1", 257, 262) === "ustar") return "tar";
  if (/^(?:\xef\xbb\xbf)?\s*<(?:!doctype|html|\?xml|head|!--)/i.test(bytes.toString("latin1"))) {
    return { other: "it is a web page and no archive, perhaps one to log in on or one about an error" };
  }
  return { other: "it is no zip, tar or tar.gz archive" };
}
