import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  type ArchiveLimits,
  defaultLimits,
  safeSegments,
} from "../../../src/data/fetch/archives/archive-limits";
import { fetchDataset } from "../../../src/data/fetch/fetch-dataset";
import { packTar, packTarGz, packZip, type TestMember } from "../../support/data/archive-files";
import { smallMembers } from "../../support/data/small-breakhis";
import { temporaryFolder } from "../../support/temporary-folder";

const root = temporaryFolder("hostile");
let members: TestMember[];
let place: string;
let count = 0;

beforeAll(async () => {
  members = await smallMembers();
});

beforeEach(() => {
  place = join(root, String(count++));
  mkdirSync(place);
});

/** Unpacks an archive that a user passes. */
function unpack(archive: Buffer, limits: Partial<ArchiveLimits> = {}, name = "set.archive") {
  const path = join(place, name);
  writeFileSync(path, archive);
  return fetchDataset(path, { into: join(place, "data", "set"), limits: { ...defaultLimits, ...limits } });
}

/** The archive is refused with a sentence and nothing is there that wasn't before, here or elsewhere. */
async function expectRefusal(archive: Buffer, message: RegExp, limits: Partial<ArchiveLimits> = {}) {
  await expect(unpack(archive, limits)).rejects.toThrow(message);
  expect(readdirSync(place, { recursive: true, encoding: "utf8" }).sort()).toEqual(["data", "set.archive"]);
  expect(readdirSync(dirname(place)).filter((name) => /evil/.test(name))).toEqual([]);
}

const png = () => members[1]!.content!;

/** One more member between the others. */
const withMember = (member: TestMember) => [...members.slice(0, 4), member, ...members.slice(4)];

describe("an archive of the user's", () => {
  it.each([
    ["tar", () => packTar(members)],
    ["tar.gz", () => packTarGz(members)],
    ["zip", async () => packZip(members)],
  ])("is unpacked, whatever its name (%s)", async (_kind, pack) => {
    const { byClass } = await unpack(await pack());
    expect(byClass).toEqual({ benign: 4, malignant: 6 });
    expect(readdirSync(join(place, "data"))).toEqual(["set"]);
    expect(readdirSync(join(place, "data/set/BreaKHis/benign")).length).toBe(4);
  });

  it("may hold broken images, which are told", async () => {
    const broken = { name: "BreaKHis/benign/SOB_B_A-14-1-400-009.png", content: Buffer.from("broken") };
    const { images, warnings } = await unpack(await packTarGz(withMember(broken)));
    expect(images).toBe(11);
    expect(warnings.join()).toMatch(/1 image can't be read: .*SOB_B_A-14-1-400-009\.png/);
  });

  it("that holds no images is refused, and what there is is told", async () => {
    const text = Buffer.from("text");
    await expectRefusal(
      await packTarGz([
        { name: "a.txt", content: text },
        { name: "code/b.py", content: text },
      ]),
      /could not be unpacked: it holds no images in a layout that is known here\. The archive holds 2 files, no images among them: a\.txt, code\/\.$/,
    );
    await expectRefusal(
      packZip([{ name: "download/BreaKHis_v1.tar.gz", content: text }]),
      /holds 1 file, no images among them: download\/\. Unpack it and pass the archive in it: download\/BreaKHis_v1\.tar\.gz\.$/,
    );
    await expectRefusal(packZip([]), /The archive is empty\.$/);
  });

  it("is told what it holds where nothing has the magnification asked for", async () => {
    const path = join(place, "set.archive");
    writeFileSync(path, packZip(members));
    const unpacking = fetchDataset(path, { into: join(place, "data", "set"), magnification: 100 });
    await expect(unpacking).rejects.toThrow(
      /holds 13 files, 10 images among them: BreaKHis\/\. None is of the magnification asked for\.$/,
    );
  });

  it("from Windows, with backslashes between folders, is unpacked", async () => {
    const windows = members.map((member) => ({ ...member, name: member.name.replaceAll("/", "\\") }));
    expect((await unpack(packZip(windows))).byClass).toEqual({ benign: 4, malignant: 6 });
    expect(readdirSync(join(place, "data/set/BreaKHis/benign")).length).toBe(4);
  });

  it.each([
    [9, /packed with Deflate64, as Windows' Explorer .*7-Zip, and pass the folder/],
    [14, /packed with LZMA/],
    [99, /a method with the number 99/],
  ])("that is packed by the method %i is refused before anything is written", async (method, message) => {
    await expectRefusal(packZip(members, { method }), message);
  });

  it("may be a folder, which is checked and stays where it is", async () => {
    await unpack(await packTar(members));
    const folder = join(place, "data", "set");
    expect(await fetchDataset(folder)).toMatchObject({ folder, images: 10, alreadyThere: true });
    await expect(fetchDataset(folder, { into: join(place, "copy") })).rejects.toThrow(
      /used where it is and as it is/,
    );
    mkdirSync(join(place, "empty"));
    await expect(fetchDataset(join(place, "empty"))).rejects.toThrow(
      /empty can't be used: it holds no images/,
    );
  });
});

describe("names that lead elsewhere", () => {
  const names = [
    "../evil.png",
    "BreaKHis/../../evil.png",
    "/tmp/evil.png",
    "C:/evil.png",
    "C:\\evil.png",
    "..\\evil.png",
    "BreaKHis\\evil.png",
    "\\\\server\\evil.png",
    "BreaKHis/evil\n.png",
    `BreaKHis/${"evil".repeat(80)}.png`,
  ];

  it.each(names)("%j is refused in a tar archive", async (name) => {
    await expectRefusal(
      await packTarGz(withMember({ name, content: png() })),
      /the archive holds .*nothing was unpacked/,
    );
  });

  it.each(names.filter((name) => name !== "BreaKHis\\evil.png"))(
    "%j is refused in a zip archive",
    async (name) => {
      await expectRefusal(
        packZip(withMember({ name, content: png() })),
        /the archive holds .*nothing was unpacked/,
      );
    },
  );

  it("are refused even where the member isn't wanted", async () => {
    const member = { name: "../evil.sh", content: Buffer.from("#!/bin/sh") };
    await expectRefusal(await packTarGz(withMember(member)), /leaves its folder/);
    await expectRefusal(packZip(withMember(member)), /leaves its folder/);
  });

  it("that only look odd are taken", () => {
    expect(safeSegments("./a//b/..c/d..png")).toEqual(["a", "b", "..c", "d..png"]);
    expect(safeSegments("./")).toEqual([]);
  });
});

describe("members that are no files", () => {
  it.each([
    ["symlink", "a symbolic link"],
    ["link", "a hard link"],
    ["fifo", "a named pipe"],
    ["character-device", "a device"],
    ["block-device", "a device"],
  ] as const)("%s is refused in a tar archive", async (type, words) => {
    const member = { name: "BreaKHis/benign/evil.png", type, linkname: "/etc/passwd" };
    await expectRefusal(
      await packTarGz(withMember(member)),
      new RegExp(`the archive holds ${words}, .*evil`),
    );
  });

  it("a file below a link of the same archive never arrives", async () => {
    const link = { name: "BreaKHis/out", type: "symlink", linkname: "../.." } as const;
    const file = { name: "BreaKHis/out/evil.png", content: png() };
    await expectRefusal(await packTarGz([link, file, ...members]), /a symbolic link/);
  });

  it("links and devices are refused in a zip archive", async () => {
    await expectRefusal(packZip(members, { mode: 0o120777 }), /the archive holds a symbolic link/);
    await expectRefusal(packZip(members, { mode: 0o020666 }), /holds something that is no file/);
  });
});

describe("bombs", () => {
  const zeros = (name: string, bytes: number) => ({ name, content: Buffer.alloc(bytes) });

  it.each([["benign/large.png"], ["not/wanted.bin"]])(
    "content out of proportion is refused (%s)",
    async (name) => {
      const bomb = await packTarGz([zeros(`BreaKHis/${name}`, 2 ** 24), ...members]);
      await expectRefusal(bomb, /looks like a bomb/, { unmeasuredBytes: 2 ** 20 });
      // What is in proportion passes at that size.
      const { images } = await unpack(await packTarGz(members), { unmeasuredBytes: 2 ** 10 });
      expect(images).toBe(10);
    },
  );

  it("content out of proportion is refused in a zip archive", async () => {
    const bomb = packZip([zeros("a/1.png", 2 ** 26), zeros("a/2.png", 2 ** 24)]);
    await expectRefusal(bomb, /more than 100 times larger than the archive/);
  });

  it("a nested gzip that swells before it is a tar archive is refused", async () => {
    const bomb = gzipSync(Buffer.alloc(2 ** 26 + 2 ** 20));
    await expectRefusal(bomb, /looks like a bomb/);
  });

  it("one gigantic member is refused", async () => {
    const large = [...members, zeros("BreaKHis/benign/SOB_B_A-14-1-400-001.png", 200_000)];
    const message = /is 200000 bytes large; 100000 are allowed/;
    await expectRefusal(await packTarGz(large), message, { fileBytes: 100_000 });
    await expectRefusal(packZip(large), message, { fileBytes: 100_000 });
  });

  it("too many members are refused", async () => {
    await expectRefusal(await packTarGz(members), /more than 5 files/, { entries: 5 });
    await expectRefusal(packZip(members), /more than 5 files/, { entries: 5 });
  });

  it("too much content in all is refused", async () => {
    await expectRefusal(await packTarGz(members), /larger than the 20000 bytes allowed/, {
      totalBytes: 20_000,
    });
    await expectRefusal(packZip(members), /larger than the 20000 bytes allowed/, { totalBytes: 20_000 });
  });

  it("members that lie about their size are refused", async () => {
    await expectRefusal(packZip(members, { announcedSize: 10 }), /the archive is damaged/);
    await expectRefusal(packZip(members, { announcedSize: 90_000 }), /the archive is damaged/);
  });

  it("members that share their bytes are refused", async () => {
    await expectRefusal(packZip(members, { overlapping: true }), /members of the archive overlap/);
  });
});

describe("names that are there twice", () => {
  const twin = (change: (name: string) => string): TestMember => ({
    name: change(members[2]!.name),
    content: png(),
  });

  it.each([
    ["the same", (name: string) => name, /holds ".*" twice/],
    ["the same with a dot", (name: string) => `./${name}`, /holds ".*" twice/],
    ["other capitals", (name: string) => name.replace("SOB", "sob"), /one file on many systems/],
  ])("%s", async (_name, change, message) => {
    await expectRefusal(await packTarGz([...members, twin(change)]), message);
    await expectRefusal(packZip([...members, twin(change)]), message);
  });

  it("composed differently", async () => {
    const pair = ["BreaKHis/benign/caf\u00e9.png", "BreaKHis/benign/cafe\u0301.png"];
    const twins = pair.map((name) => ({ name, content: png() }));
    await expectRefusal(await packTarGz([...members, ...twins]), /one file on many systems/);
  });

  it("a file that another takes for a folder", async () => {
    const member = { name: `${members[2]!.name}/inner.png`, content: png() };
    const message = /is both a file and a folder in the archive/;
    await expectRefusal(await packTarGz([...members, member]), message);
    await expectRefusal(await packTarGz([member, ...members]), message);
    await expectRefusal(packZip([...members, member]), message);
  });
});

describe("damage", () => {
  it("a truncated archive is refused wherever it ends", async () => {
    const tar = await packTar(members);
    const tarGz = gzipSync(tar);
    const zip = packZip(members);
    for (const share of [0.02, 0.3, 0.7, 0.99]) {
      for (const archive of [tar, tarGz, zip]) {
        const cut = archive.subarray(0, Math.floor(archive.length * share));
        await expectRefusal(cut, /damaged|it is no zip, tar or tar\.gz archive|holds no images/);
      }
    }
  });

  it("a tar archive that ends between two members is refused", async () => {
    const tar = await packTar(members);
    const lastMember = tar.length - 1024;
    await expectRefusal(tar.subarray(0, lastMember), /ends before its end mark: a part is missing/);
    await expectRefusal(gzipSync(tar.subarray(0, lastMember)), /ends before its end mark/);
  });

  it("a changed byte is noticed by the checksum of gzip and zip", async () => {
    for (const archive of [await packTarGz(members), packZip(members)]) {
      const changed = Buffer.from(archive);
      const middle = Math.floor(changed.length / 2);
      changed[middle] = changed[middle]! ^ 0x10;
      await expectRefusal(changed, /damaged/);
    }
    await expectRefusal(packZip(members, { wrongChecksum: true }), /the checksum of .* is wrong/);
  });

  it("a locked archive is told", async () => {
    await expectRefusal(packZip(members, { encrypted: true }), /locked with a password/);
  });

  it("leaves the user's archive as it was", async () => {
    const archive = (await packTarGz(members)).subarray(0, 30_000);
    await expectRefusal(archive, /damaged: its end is missing/);
    expect(readFileSync(join(place, "set.archive")).equals(archive)).toBe(true);
    expect(existsSync(join(place, "data/set"))).toBe(false);
  });
});
