import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { join } from "node:path";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { defaultLimits } from "../../../src/data/fetch/archives/archive-limits";
import { describeFetched, type FetchOptions, fetchDataset } from "../../../src/data/fetch/fetch-dataset";
import { dataSources, expectedCounts, shareOf } from "../../../src/data/fetch/sources";
import { unfinishedName, unfinishedPrefix } from "../../../src/runtime/files/leftovers";
import { requestStop } from "../../../src/runtime/interruption";
import { onProgress } from "../../../src/runtime/progress";
import { createRandom } from "../../../src/runtime/random";
import { packTarGz, packZip, type TestMember } from "../../support/data/archive-files";
import {
  type LoopbackServer,
  redirectTo,
  refuse,
  serveFile,
  startServer,
} from "../../support/data/loopback-server";
import { smallMembers, smallSource } from "../../support/data/small-breakhis";
import { temporaryFolder } from "../../support/temporary-folder";

const root = temporaryFolder("fetch");
const connection = { retryDelayMs: 1, attempts: 3 };

let members: TestMember[];
let tarGz: Buffer;
let zip: Buffer;
let folder: string;
let server: LoopbackServer;
let count = 0;

beforeAll(async () => {
  members = await smallMembers();
  tarGz = await packTarGz(members);
  zip = packZip(members);
});

beforeEach(async () => {
  folder = join(root, String(count++), "data");
  server = await startServer();
});

const fetchSmall = (options: FetchOptions = {}, url = `${server.origin}/set`) =>
  fetchDataset(smallSource(url), { into: join(folder, "small"), connection, ...options });

/** Everything there, hidden or not, below the folder that data sets lie in. */
const everything = () =>
  existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: "utf8" }).sort() : [];

const images = () => everything().filter((name) => name.endsWith(".png"));

function expectWholeSet(): void {
  const wanted = members.filter(({ name }) => name.endsWith(".png"));
  expect(images()).toEqual(wanted.map(({ name }) => `small/${name}`).sort());
  for (const { name, content } of wanted) {
    expect(readFileSync(join(folder, "small", name)).equals(content!)).toBe(true);
  }
  expect(readdirSync(folder)).toEqual(["small"]);
}

/** Nothing but an empty folder may be left. */
async function expectFailure(fetching: Promise<unknown>, message: RegExp): Promise<void> {
  await expect(fetching).rejects.toThrow(message);
  expect(everything()).toEqual([]);
}

/** A zip archive in which what isn't wanted lies between the members and the directory, wider than the part read at the end. */
function largeZip(): Buffer {
  const random = createRandom(1);
  const filler = Buffer.from(Uint8Array.from({ length: 1_400_000 }, () => random.integer(256)));
  return packZip([...members, { name: "BreaKHis/notes.bin", content: filler }]);
}

describe("a whole set", () => {
  it.each([["tar.gz"], ["zip"]])(
    "is fetched from a %s archive, without what doesn't belong",
    async (kind) => {
      const archive = kind === "zip" ? zip : tarGz;
      server.answer(serveFile(archive));
      const fetched = await fetchSmall();
      expectWholeSet();
      expect(everything().filter((name) => /DS_Store|count\.py/.test(name))).toEqual([]);
      expect(existsSync(join(folder, "small/BreaKHis/README.txt"))).toBe(true);
      expect(fetched).toMatchObject({
        images: 10,
        byClass: { benign: 4, malignant: 6 },
        alreadyThere: false,
      });
      const sha256 = createHash("sha256").update(archive).digest("hex");
      expect(fetched.sha256).toBe(kind === "zip" ? null : sha256);
      expect(describeFetched(fetched)).toContain("10 images (4 benign, 6 malignant)");
      const origin = JSON.parse(readFileSync(join(folder, "small/SOURCE.json"), "utf8"));
      expect(origin).toMatchObject({ source: "small", address: `${server.origin}/set`, images: 10 });
    },
  );

  it.each([["tar.gz"], ["zip"]])("is fetched at one magnification from a %s archive", async (kind) => {
    server.answer(serveFile(kind === "zip" ? zip : tarGz));
    const fetched = await fetchSmall({ magnification: 400 });
    expect(fetched.byClass).toEqual({ benign: 3, malignant: 4 });
    expect(images().length).toBe(7);
    expect(images().every((name) => name.includes("-400-"))).toBe(true);
  });

  it("is not fetched twice, and what is missing from it is noticed", async () => {
    server.answer(serveFile(tarGz));
    await fetchSmall();
    const again = await fetchSmall();
    expect(again).toMatchObject({ images: 10, alreadyThere: true });
    expect(server.requests.length).toBe(1);
    rmSync(join(folder, images()[0]!));
    await expect(fetchSmall()).rejects.toThrow(/should hold 10 images but holds 9\. Move it away/);
  });

  it("never replaces what is in its place", async () => {
    mkdirSync(join(folder, "small"), { recursive: true });
    writeFileSync(join(folder, "small", "mine.txt"), "mine");
    await expect(fetchSmall()).rejects.toThrow(/exists and is not replaced\. .*--into/);
    expect(everything()).toEqual(["small", "small/mine.txt"]);
    expect(server.requests.length).toBe(0);
  });

  it("reports its progress in MB and images", async () => {
    server.answer(serveFile(tarGz));
    const tasks = new Map<string, string>();
    const stop = onProgress(({ task, unit, done, total, finished }) => {
      if (finished) tasks.set(task, `${done} of ${total} ${unit}`);
    });
    await fetchSmall().finally(stop);
    expect(tasks.get("Downloading the small set")).toBe("0 of 0 MB");
    expect(tasks.get("Checking images")).toBe("10 of 10 images");
  });

  it("replaces what a killed process left, but not what a running one writes", async () => {
    // No process has this number: Linux' greatest is 4,194,304.
    const alive = `${unfinishedPrefix("small")}${unfinishedName()}`;
    const dead = alive.replace(`~${process.pid}~`, "~4999999~");
    for (const name of [dead, alive]) mkdirSync(join(folder, name, "content"), { recursive: true });
    server.answer(serveFile(tarGz));
    await fetchSmall();
    expect(readdirSync(folder).sort()).toEqual([alive, "small"].sort());
    // It may have been killed when all but the tidying was done.
    mkdirSync(join(folder, dead));
    expect((await fetchSmall()).alreadyThere).toBe(true);
    expect(readdirSync(folder).sort()).toEqual([alive, "small"].sort());
  });
});

describe("a difficult connection", () => {
  it.each([["tar.gz"], ["zip"]])("that is slow ends in a complete set (%s)", async (kind) => {
    server.answer(serveFile(kind === "zip" ? zip : tarGz, { slowMs: 5 }));
    await fetchSmall();
    expectWholeSet();
  });

  it("that is cut off in the middle, twice, goes on with ranges", async () => {
    server.answer(
      serveFile(tarGz, { cutAfter: 20_000 }),
      serveFile(tarGz, { cutAfter: 9_000 }),
      serveFile(tarGz),
    );
    const { sha256 } = await fetchSmall();
    expectWholeSet();
    // What had arrived but was not read yet when the connection broke is asked for again.
    const starts = server.requests.map(({ headers }) => Number(/\d+/.exec(headers.range ?? "0")?.[0]));
    expect(starts.length).toBe(3);
    expect(starts[1]).toBeGreaterThan(0);
    expect(starts[1]).toBeLessThanOrEqual(20_000);
    expect(starts[2]).toBeGreaterThan(starts[1]!);
    expect(starts[2]).toBeLessThanOrEqual(29_000);
    expect(server.requests[1]!.headers["if-range"]).toBe('"one"');
    expect(sha256).toBe(createHash("sha256").update(tarGz).digest("hex"));
  });

  it("that is cut off in a zip archive's members goes on there", async () => {
    server.answer(serveFile(zip, { cutAfter: 15_000 }));
    await fetchSmall();
    expectWholeSet();
  });

  it("to a zip archive of some size reads its directory, then its members in one go", async () => {
    const large = largeZip();
    server.answer(serveFile(large));
    await fetchSmall();
    expectWholeSet();
    const ranges = server.requests.map(({ headers }) => headers.range);
    // The kind is looked at, ranges tried out, the end read; from the first member on there is one connection.
    const firstImage = large.indexOf("BreaKHis/README.txt") - 30;
    expect(firstImage).toBe(0);
    expect(ranges).toEqual([undefined, "bytes=1-", `bytes=${large.length - 2 ** 20}-`, undefined]);

    rmSync(folder, { recursive: true });
    server.answer(serveFile(large, { cutAfter: 300_000 }));
    await fetchSmall();
    expectWholeSet();
    rmSync(folder, { recursive: true });
    server.answer(
      serveFile(large),
      serveFile(large),
      serveFile(large),
      serveFile(large, { cutAfter: 9_000 }),
    );
    await fetchSmall({ magnification: 40 });
    expect(images().length).toBe(3);
  });

  it.each([["tar.gz"], ["zip"]])(
    "without ranges is read again and what is known skipped (%s)",
    async (kind) => {
      const archive = kind === "zip" ? zip : tarGz;
      server.answer(
        serveFile(archive, { cutAfter: 20_000, noRanges: true }),
        serveFile(archive, { noRanges: true }),
      );
      await fetchSmall();
      expectWholeSet();
    },
  );

  it("without ranges or length, as GitHub packs on the fly, ends in a complete set", async () => {
    server.answer(
      serveFile(tarGz, { cutAfter: 20_000, noRanges: true, noLength: true }),
      serveFile(tarGz, { noRanges: true, noLength: true }),
    );
    await fetchSmall();
    expectWholeSet();
  });

  it("with another range than asked for is asked for the whole", async () => {
    server.answer(
      serveFile(tarGz, { cutAfter: 20_000 }),
      serveFile(tarGz, { otherRange: true }),
      serveFile(tarGz),
    );
    await fetchSmall();
    expectWholeSet();
    expect(server.requests[2]!.headers.range).toBeUndefined();
  });

  it("with wrong bytes in a range is noticed by the checksum and fetched without ranges", async () => {
    server.answer(
      serveFile(tarGz, { cutAfter: 20_000 }),
      serveFile(tarGz, { wrongBytes: true }),
      serveFile(tarGz),
    );
    await fetchSmall();
    expectWholeSet();
    expect(server.requests.length).toBe(3);
  });

  it("with wrong bytes in every range of a zip archive is fetched whole", async () => {
    server.answer(serveFile(largeZip(), { wrongBytes: true }));
    await fetchSmall();
    expectWholeSet();
    const ranges = server.requests.map(({ headers }) => headers.range);
    expect(ranges.slice(0, 2)).toEqual([undefined, "bytes=1-"]);
    expect(ranges.at(2)).toMatch(/^bytes=\d{6,}-$/);
    expect(ranges.slice(3).every((range) => range === undefined)).toBe(true);
  });

  it("to a file that changes meanwhile is given up", async () => {
    const other = Buffer.concat([tarGz, Buffer.alloc(10)]);
    server.answer(serveFile(tarGz, { cutAfter: 20_000 }), serveFile(other, { etag: '"two"' }));
    await expectFailure(fetchSmall(), /changed while it was being downloaded; run the command again\.$/);
  });

  it("that falls silent is given up", async () => {
    server.answer((_request, response) => response.writeHead(200, { "content-length": 10_000 }).write("x"));
    const fetching = fetchSmall({ connection: { ...connection, stallMs: 40 } });
    await expectFailure(fetching, /could not be fetched from .*: nothing arrived for 0 s\.$/);
  });

  it("that never ends, without a length, is given up at the limit", async () => {
    const endless = (_request: unknown, response: ServerResponse) => {
      response.writeHead(200);
      response.write(tarGz.subarray(0, 1_000));
      const more = () => {
        if (!response.destroyed && response.write(Buffer.alloc(16_384))) setImmediate(more);
        else response.once("drain", more);
      };
      more();
    };
    const limits = { ...defaultLimits, archiveBytes: 300_000 };
    for (const archive of [null, join(root, `${count}.tar.gz`)]) {
      server.answer(endless);
      await expectFailure(
        fetchSmall({ archive, limits }),
        /sends more than 300 kB, which is the most that may come|compressed content is broken/,
      );
    }
    expect(existsSync(join(root, `${count}.tar.gz`))).toBe(false);
  });

  it("that announces more than the limit is given up at once", async () => {
    server.answer(serveFile(zip, { noRanges: true }));
    const limits = { ...defaultLimits, archiveBytes: zip.length - 1 };
    await expectFailure(fetchSmall({ limits }), /sends more than \d+ kB/);
  });

  it("that brings too little is given up", async () => {
    server.answer((_request, response) => {
      response.writeHead(200, { "content-length": 1e9 });
      const more = () => {
        if (!response.destroyed) response.write(tarGz.subarray(0, 1), () => setImmediate(more));
      };
      more();
    });
    // No server is as fast as this one has to be.
    const slow = { ...connection, stallMs: 500, leastRate: 1e15 };
    const archive = join(root, `${count}-slow.tar.gz`);
    await expectFailure(fetchSmall({ archive, connection: slow }), /sends \d+ bytes a second, less than the/);
  });

  it("that always breaks without bringing anything is given up", async () => {
    server.answer((request) => request.socket.destroy());
    await expectFailure(fetchSmall(), /: the connection was lost\.$/);
    expect(server.requests.length).toBe(3);
  });

  it("that announces more than it sends is given up", async () => {
    server.answer(serveFile(tarGz, { lengthError: 500 }));
    await expectFailure(
      fetchSmall(),
      /: (?:the connection was lost|\d+ of \d+ bytes arrived|.*changed.*)\.$/,
    );
  });

  it("that announces less than there is ends in a damaged archive", async () => {
    const length = tarGz.length - 500;
    server.answer((_request, response) =>
      response.writeHead(200, { "content-length": length }).end(tarGz.subarray(0, length)),
    );
    await expectFailure(fetchSmall(), /the archive is damaged: its end is missing\.$/);
  });
});

describe("a refusal", () => {
  it.each([
    [401, /the server answers 401 Unauthorized\. Ask whoever published it\.$/],
    [403, /the server answers 403 Forbidden\. Ask whoever published it\.$/],
    [404, /the server answers 404 Not Found\. Ask whoever published it\.$/],
  ])("with %i is told at once, with what to do", async (status, message) => {
    server.answer(refuse(status));
    await expectFailure(fetchSmall(), message);
    expect(server.requests.length).toBe(1);
  });

  it("with 429 waits as long as it is asked to", async () => {
    const pauses: number[] = [];
    const wait = async (milliseconds: number) => void pauses.push(milliseconds);
    server.answer(refuse(429, { "retry-after": "120" }), serveFile(tarGz));
    await fetchSmall({ connection: { wait } });
    expectWholeSet();
    expect(pauses).toEqual([120_000]);
  });

  it("with a longer pause than is bearable is told", async () => {
    server.answer(refuse(503, { "retry-after": "7200" }));
    await expectFailure(fetchSmall(), /answers 503 Service Unavailable and asks to come back in 120 min\.$/);
    expect(server.requests.length).toBe(1);
  });

  it("with 500 is tried again", async () => {
    server.answer(refuse(500), refuse(502), serveFile(tarGz));
    await fetchSmall();
    expectWholeSet();
  });

  it("that lasts is told after a few tries", async () => {
    server.answer(refuse(500));
    await expectFailure(fetchSmall(), /: the server answers 500 Internal Server Error\.$/);
    expect(server.requests.length).toBe(3);
  });
});

describe("redirects", () => {
  it("are followed, again for each range", async () => {
    const store = await startServer(serveFile(tarGz, { cutAfter: 20_000 }), serveFile(tarGz));
    server.answer(redirectTo(`${store.origin}/signed?key=secret`));
    await fetchSmall();
    expectWholeSet();
    expect(server.requests.length).toBe(2);
  });

  it("in a circle are given up", async () => {
    server.answer(redirectTo("/set"));
    await expectFailure(fetchSmall(), /the server redirects more than 10 times\.$/);
  });

  it.each([["file:///etc/passwd"], ["ftp://127.0.0.1/set"]])("to %s are refused", async (location) => {
    server.answer(redirectTo(location));
    await expectFailure(fetchSmall(), /redirects to (?:file|ftp):, which is not safe\.$/);
  });

  it("to another server go without the token, and nothing shows it", async () => {
    const store = await startServer(serveFile(tarGz));
    server.answer(redirectTo(`${store.origin}/signed?key=secret`));
    const source = smallSource(`${server.origin}/set`, { authorize: async () => "Bearer hidden" });
    await fetchDataset(source, { into: join(folder, "small"), connection });
    expect(server.requests[0]!.headers.authorization).toBe("Bearer hidden");
    expect(store.requests[0]!.headers.authorization).toBeUndefined();
    expect(readFileSync(join(folder, "small/SOURCE.json"), "utf8")).not.toMatch(/hidden|secret/);
  });

  it("to the same server keep the token, a mirror gets none", async () => {
    server.answer(redirectTo("/other"), serveFile(tarGz));
    const source = smallSource(`${server.origin}/set`, { authorize: async () => "Bearer hidden" });
    await fetchDataset(source, { into: join(folder, "small"), connection });
    expect(server.requests[1]!.headers.authorization).toBe("Bearer hidden");

    const mirror = await startServer(refuse(403));
    const address = `${mirror.origin.replace("//", "//me:pass@")}/set?key=secret`;
    const failing = fetchDataset(source, { into: join(folder, "two"), connection, mirror: address });
    const error = await failing.catch((reason: Error) => reason);
    expect((error as Error).message).toContain(
      `from ${mirror.origin}/set: the server answers 403 Forbidden.`,
    );
    expect((error as Error).message).not.toMatch(/pass|secret|hidden/);
    expect(mirror.requests[0]!.headers.authorization).toBe(`Basic ${btoa("me:pass")}`);
  });
});

describe("wrong content", () => {
  const send = (content: string | Buffer) => serveFile(Buffer.from(content));

  it("that is a web page is told", async () => {
    server.answer(send("\n<!DOCTYPE html><html><body>Please log in</body></html>"));
    await expectFailure(fetchSmall(), /it is a web page and no archive, perhaps one to log in on/);
  });

  it.each([
    ["nothing", ""],
    ["text", "not an archive at all"],
    ["noise", Buffer.alloc(2_000, 0xa5)],
  ])("that is %s is told", async (_name, content) => {
    server.answer((_request, response) => response.writeHead(200).end(content));
    await expectFailure(fetchSmall(), /can't be used: it is (?:empty|no zip, tar or tar\.gz archive)\.$/);
  });

  it("that lacks an image is told with both counts", async () => {
    server.answer(serveFile(await packTarGz(members.filter((_, index) => index !== 5))));
    await expectFailure(
      fetchSmall(),
      /damaged: it holds 2 benign, 4 malignant images at 400×, expected 3 benign, 4 malignant\.$/,
    );
  });

  it("that has one image too many, of no known magnification, is told", async () => {
    const extra = { name: "BreaKHis/benign/other.png", content: members[1]!.content! };
    server.answer(serveFile(await packTarGz([...members, extra])));
    await expectFailure(fetchSmall(), /holds 5 benign, 6 malignant images in all, expected 4 benign/);
  });

  it("that holds an image which can't be decoded is told", async () => {
    const spoilt = members.map((member, index) =>
      index === 3 ? { ...member, content: member.content!.subarray(0, 900) } : member,
    );
    server.answer(serveFile(await packTarGz(spoilt)));
    await expectFailure(fetchSmall(), /damaged: 1 image can't be read: .*SOB_M_DC-14-22542AB-40-002\.png/);
  });

  it("that has another checksum than is known is told", async () => {
    server.answer(serveFile(tarGz));
    await expectFailure(
      fetchSmall({ sha256: "0".repeat(64) }),
      /its SHA-256 is [0-9a-f]{64}, expected 0{64}\.$/,
    );
    server.answer(serveFile(zip));
    await expectFailure(fetchSmall({ sha256: "0".repeat(64) }), /SHA-256 is [0-9a-f]{64}, expected 0{64}/);
  });

  it("with the checksum that is known is taken, as a zip archive too", async () => {
    server.answer(serveFile(zip));
    const sha256 = createHash("sha256").update(zip).digest("hex");
    expect((await fetchSmall({ sha256 })).sha256).toBe(sha256);
    expectWholeSet();
  });
});

describe("the disk", () => {
  it.each([["tar.gz"], ["zip"]])("is asked for room before anything is written (%s)", async (kind) => {
    server.answer(serveFile(kind === "zip" ? zip : tarGz));
    await expectFailure(
      fetchSmall({ freeSpace: async () => 5_000 }),
      /about \d+ kB are needed and 5 kB are free; make room, or name a folder on another disk with --into\.$/,
    );
  });

  it("is estimated from the number of images where the server tells no length", async () => {
    server.answer(serveFile(tarGz, { noLength: true }));
    const source = smallSource(`${server.origin}/set`, { imageBytes: 1_000_000 });
    const freeSpace = async () => 5_000_000;
    await expectFailure(
      fetchDataset(source, { into: join(folder, "small"), connection, freeSpace }),
      /about \d+ MB are needed and 5 MB are free/,
    );
  });

  it("is asked for room for an archive that is kept", async () => {
    server.answer(serveFile(tarGz));
    const archive = join(root, `${count}.tar.gz`);
    const fetching = fetchSmall({ archive, freeSpace: async () => 5_000 });
    await expectFailure(fetching, /are needed and 5 kB are free/);
    expect(existsSync(archive)).toBe(false);
  });

  it("needs less for one magnification", async () => {
    server.answer(serveFile(tarGz));
    const freeSpace = async () => tarGz.length * 0.8;
    await expectFailure(fetchSmall({ freeSpace }), /are needed/);
    await fetchSmall({ freeSpace, magnification: 400 });
    expect(images().length).toBe(7);
  });
});

describe("stopping", () => {
  it("leaves nothing", async () => {
    server.answer(serveFile(tarGz, { slowMs: 20 }));
    const fetching = fetchSmall();
    const expectation = expectFailure(fetching, /Fetching the small set was stopped; nothing was kept\.$/);
    while (!everything().some((name) => name.endsWith(".png"))) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(readdirSync(folder).every((name) => name.startsWith("."))).toBe(true);
    expect(requestStop()).toEqual(["Fetching the small set"]);
    await expectation;
  });

  it("keeps an archive that is fetched into a file, and the next call goes on", async () => {
    const archive = join(root, `${count}.tar.gz`);
    server.answer(serveFile(tarGz, { cutAfter: 20_000 }), refuse(503));
    await expectFailure(fetchSmall({ archive }), /answers 503/);
    server.requests.splice(0);
    server.answer(serveFile(tarGz));
    await fetchSmall({ archive });
    expectWholeSet();
    expect(server.requests.map(({ headers }) => headers.range)).toEqual([
      expect.stringMatching(/^bytes=[1-9]\d*-$/),
    ]);
    expect(readFileSync(archive).equals(tarGz)).toBe(true);
    expect(readdirSync(root).filter((name) => name.startsWith(`${count}.tar.gz`))).toEqual([
      `${count}.tar.gz`,
    ]);
  });

  it("does not keep an archive that is not the expected one, or damaged", async () => {
    const archive = join(root, `${count}.tar.gz`);
    const sha256 = createHash("sha256").update(tarGz).digest("hex");
    server.answer(serveFile(await packTarGz(members.slice(0, 3))));
    await expectFailure(fetchSmall({ archive, sha256 }), /is not the expected file .* and was removed/);
    expect(existsSync(archive)).toBe(false);
    server.answer(serveFile(tarGz.subarray(0, -9)));
    await expectFailure(fetchSmall({ archive }), /damaged: its end is missing\. What arrived was removed\./);
    expect(existsSync(archive)).toBe(false);
    server.answer(serveFile(tarGz));
    await fetchSmall({ archive, sha256: sha256.toUpperCase() });
    expectWholeSet();
  });

  it("leaves an archive that was there, and says what to do with it", async () => {
    const archive = join(root, `${count}.tar.gz`);
    writeFileSync(archive, tarGz.subarray(0, -9));
    await expectFailure(
      fetchSmall({ archive }),
      /its end is missing\. .*tar\.gz was there already and is kept: remove it to have it fetched again\./,
    );
    expect(existsSync(archive)).toBe(true);
    const other = join(root, `${count}-other.tar.gz`);
    server.answer(serveFile(await packTarGz(members.slice(0, 5))));
    await expectFailure(fetchSmall({ archive: other }), /expected .*other\.tar\.gz is kept: remove it/);
    expect(existsSync(other)).toBe(true);
  });

  it("doesn't join the archive of another day", async () => {
    const archive = join(root, `${count}.tar.gz`);
    server.answer(serveFile(Buffer.alloc(50_000, 1), { cutAfter: 20_000, etag: '"old"' }), refuse(503));
    await expectFailure(fetchSmall({ archive }), /answers 503/);
    server.answer(serveFile(tarGz));
    await fetchSmall({ archive });
    expectWholeSet();
  });
});

describe("sources", () => {
  it("are counted as their publishers count", () => {
    const [perceptilabs, kaggle, original] = dataSources;
    expect(expectedCounts(perceptilabs!, null)).toEqual({ benign: 547, malignant: 1_146 });
    expect(expectedCounts(kaggle!, 400)).toEqual({ benign: 547, malignant: 1_146 });
    expect(expectedCounts(original!, null)).toEqual({ benign: 2_480, malignant: 5_429 });
    expect(expectedCounts(original!, 400)).toEqual({ benign: 588, malignant: 1_232 });
    expect(shareOf(original!, 400)).toBeCloseTo(1_820 / 7_909);
  });

  it("refuse a magnification that they don't have, and names that nobody knows", async () => {
    await expect(fetchDataset("kaggle", { magnification: 40 })).rejects.toThrow(
      "There are no images at 40× in BreaKHis 400× from Kaggle; it has 400×.",
    );
    await expect(fetchDataset("nowhere")).rejects.toThrow(
      /nowhere is neither a source \(perceptilabs, kaggle, original\) nor a file or folder here\.$/,
    );
  });
});
