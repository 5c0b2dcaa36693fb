import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { downloadFile, probeDownload } from "../../../src/data/fetch/download";

const content = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * 7919) % 251));
const sha256 = createHash("sha256").update(content).digest("hex");
const md5 = createHash("md5").update(content).digest("hex");
const quick = { retryDelayMs: 1 };

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

let folder: string;
let target: string;
let answers: Answer[];
let ranges: (string | undefined)[];
let close: () => Promise<void>;
let url: string;

/** Serves what is asked for, in ranges. */
const honest: Answer = (request, response) => {
  const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
  if (start >= content.length) {
    response.writeHead(416, { "content-range": `bytes */${content.length}` }).end();
    return;
  }
  const headers: Record<string, string | number> = { "content-length": content.length - start };
  if (start > 0) headers["content-range"] = `bytes ${start}-${content.length - 1}/${content.length}`;
  response.writeHead(start > 0 ? 206 : 200, headers);
  response.end(request.method === "HEAD" ? undefined : content.subarray(start));
};

/** Announces everything, sends some, then drops the connection. */
const cutOffAfter =
  (bytes: number): Answer =>
  (_request, response) => {
    response.writeHead(200, { "content-length": content.length });
    response.write(content.subarray(0, bytes), () => setTimeout(() => response.destroy(), 20));
  };

const status =
  (code: number): Answer =>
  (_request, response) =>
    response.writeHead(code).end("no");

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "download-"));
  target = join(folder, "weights", "file.h5");
  answers = [];
  ranges = [];
  // The last answer holds for all further requests.
  const server = createServer((request, response) => {
    ranges.push(request.headers.range);
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    answer?.(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/file.h5`;
  close = () =>
    new Promise((resolve) => {
      server.closeAllConnections();
      server.close(() => resolve());
    });
});

afterEach(async () => {
  await close();
  rmSync(folder, { recursive: true, force: true });
});

const filesThere = () => readdirSync(join(folder, "weights"));

describe("downloadFile", () => {
  it("writes the file and reports every byte", async () => {
    answers = [honest];
    const reports: [number, number | null][] = [];
    await downloadFile(url, target, { sha256, md5, onProgress: (...report) => reports.push(report) });
    expect(readFileSync(target).equals(content)).toBe(true);
    expect(filesThere()).toEqual(["file.h5"]);
    expect(reports[0]).toEqual([0, content.length]);
    expect(reports.at(-1)).toEqual([content.length, content.length]);
  });

  it("goes on where a connection was cut off", async () => {
    answers = [cutOffAfter(100_000), honest];
    await downloadFile(url, target, { sha256, ...quick });
    expect(readFileSync(target).equals(content)).toBe(true);
    expect(ranges).toEqual([undefined, "bytes=100000-"]);
  });

  it("gives up after several fruitless connections, and the next call goes on", async () => {
    answers = [cutOffAfter(100_000), status(503)];
    await expect(downloadFile(url, target, { sha256, ...quick })).rejects.toThrow(/answers 503/);
    expect(filesThere()).toEqual(["file.h5.part"]);
    answers = [honest];
    ranges = [];
    await downloadFile(url, target, { sha256, ...quick });
    expect(readFileSync(target).equals(content)).toBe(true);
    expect(ranges).toEqual(["bytes=100000-"]);
    expect(filesThere()).toEqual(["file.h5"]);
  });

  it("adopts what a killed process left, but not what a running one writes", async () => {
    answers = [honest];
    await downloadFile(url, target, { sha256 });
    rmSync(target);
    // No process has this number: Linux' greatest is 4,194,304.
    writeFileSync(`${target}.4999999-abcdef01.part`, content.subarray(0, 5_000));
    writeFileSync(`${target}.${process.pid}-abcdef02.part`, content.subarray(0, 7_000));
    ranges = [];
    await downloadFile(url, target, { sha256 });
    expect(ranges).toEqual(["bytes=5000-"]);
    expect(filesThere().sort()).toEqual(["file.h5", `file.h5.${process.pid}-abcdef02.part`]);
  });

  it("finishes when everything had arrived but was not put in place", async () => {
    answers = [honest];
    await downloadFile(url, target, { sha256 });
    rmSync(target);
    writeFileSync(`${target}.part`, content);
    await downloadFile(url, target, { sha256 });
    expect(readFileSync(target).equals(content)).toBe(true);
  });

  it.each([
    ["of another file", Buffer.alloc(1_000, 1)],
    ["too long", Buffer.alloc(content.length + 1, 1)],
  ])("starts again when what was left is %s", async (_name, leftover) => {
    answers = [status(404)];
    await expect(downloadFile(url, target, { sha256, ...quick })).rejects.toThrow(/404/);
    writeFileSync(`${target}.part`, leftover);
    answers = [honest];
    await downloadFile(url, target, { sha256, ...quick });
    expect(readFileSync(target).equals(content)).toBe(true);
  });

  it("starts again when the server knows no ranges", async () => {
    const whole: Answer = (_request, response) => response.writeHead(200).end(content);
    answers = [cutOffAfter(100_000), whole];
    await downloadFile(url, target, { sha256, ...quick });
    expect(readFileSync(target).equals(content)).toBe(true);
  });

  it("does not join halves that no checksum vouches for", async () => {
    answers = [status(404)];
    await expect(downloadFile(url, target)).rejects.toThrow();
    writeFileSync(`${target}.part`, Buffer.alloc(10));
    answers = [honest];
    ranges = [];
    await downloadFile(url, target);
    expect(ranges).toEqual([undefined]);
    expect(readFileSync(target).equals(content)).toBe(true);
  });

  it.each([["sha256"], ["md5"]])("refuses and removes content whose %s is wrong", async (algorithm) => {
    answers = [honest];
    const wrong = "0".repeat(algorithm === "md5" ? 32 : 64);
    const download = downloadFile(url, target, { [algorithm]: wrong });
    await expect(download).rejects.toThrow(/not the expected file .*expected 0000.*removed/);
    expect(filesThere()).toEqual([]);
  });

  it("asks once for a file that isn't there", async () => {
    answers = [status(404)];
    await expect(downloadFile(url, target, { sha256, ...quick })).rejects.toThrow(/answers 404 Not Found/);
    expect(ranges.length).toBe(1);
    expect(existsSync(target)).toBe(false);
  });

  it("gives up on a server that falls silent", async () => {
    answers = [(_request, response) => response.writeHead(200, { "content-length": 10 }).write("12345")];
    const download = downloadFile(url, target, { sha256, ...quick, stallMs: 50, attempts: 2 });
    await expect(download).rejects.toThrow(/nothing arrived/);
  });

  it("stops when asked to and keeps what arrived", async () => {
    const controller = new AbortController();
    answers = [(_request, response) => response.writeHead(200, { "content-length": 10 }).write("12345")];
    const download = downloadFile(url, target, {
      sha256,
      signal: controller.signal,
      onProgress: (received) => received > 0 && controller.abort(),
    });
    await expect(download).rejects.toThrow(/abort/i);
    expect(filesThere()).toEqual(["file.h5.part"]);
    expect(ranges.length).toBe(1);
  });

  it("says what is wrong with an unreachable server and an address of another kind", async () => {
    await close();
    await expect(downloadFile(url, target, { ...quick, attempts: 2 })).rejects.toThrow(
      /could not be downloaded: the connection was refused\.$/,
    );
    await expect(downloadFile("file:///etc/hosts", target)).rejects.toThrow(/Only http and https/);
  });
});

describe("probeDownload", () => {
  it("finds a file that is there, and says what is in the way of one that isn't", async () => {
    answers = [honest];
    expect(await probeDownload(url, 5_000)).toBeNull();
    answers = [status(403)];
    expect(await probeDownload(url, 5_000)).toBe("the server answers 403 Forbidden");
    answers = [() => undefined];
    expect(await probeDownload(url, 50)).toBe("the server did not answer within 0.05 s");
  });
});
