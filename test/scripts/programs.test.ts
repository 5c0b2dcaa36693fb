import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { fine, formatFindings, note, wrong } from "../../scripts/doctor/finding";
import { describeFailure, explainOutput } from "../../scripts/setup/failure.js";
import { diskProblem } from "../../scripts/setup/machine.js";
import { movedProblem, stampFile } from "../../scripts/setup/python-environment.js";
import { hashFiles, stampMatches, writeStamp } from "../../scripts/setup/stamps.js";
import { formatDuration } from "../../scripts/setup/terminal.js";
import { findChromium, provideChromium } from "../../scripts/test/chromium.js";
import { readCounts } from "../../scripts/test/main.js";
import { projectRoot } from "../../src/runtime/paths";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "breakhis-programs-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
  vi.unstubAllEnvs();
});

describe("a project's folder that was moved after set-up", () => {
  it("is told in a sentence with what to do, by the program that runs all others", () => {
    expect(movedProblem(folder)).toBeNull();
    writeStamp(stampFile(folder), { folder: join(folder, ".venv") });
    expect(movedProblem(folder)).toBeNull();
    writeStamp(stampFile(folder), { folder: "/elsewhere/.venv" });
    expect(movedProblem(folder)).toBe(
      `This project was set up in /elsewhere and lies in ${folder} now: run npm run setup, which does what that needs.`,
    );
  });
});

describe("explainOutput", () => {
  const cases: [string, RegExp][] = [
    ["npm error code ENOSPC\nnpm error ENOTFOUND", /disk is full/],
    [
      "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device",
      /disk is full/,
    ],
    ["npm error code EAI_AGAIN", /registry could not be reached/],
    ["npm error code ECONNREFUSED", /registry could not be reached/],
    ["WARNING: Retrying after connection broken by 'NewConnectionError'", /registry could not be reached/],
    [
      "SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED]",
      /certificate was not accepted/,
    ],
    [
      "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE",
      /not the one in the lock file/,
    ],
    ["ERROR: No matching distribution found for absl-py==2.5.1", /does not offer a package/],
    ["npm error code EACCES", /could not be written/],
    ["c++: fatal error: Killed signal terminated program cc1plus", /ran out of memory/],
  ];
  it.each(cases)("recognises %j", (output, sentence) => {
    expect(explainOutput(output)).toMatch(sentence);
  });

  it("claims nothing about what it doesn't know", () => {
    expect(explainOutput("error: expected ';' before '}'")).toBeNull();
  });

  it("is used for system errors too, and never shows a stack", () => {
    expect(describeFailure(new Error("ENOSPC: no space left on device, write"))).toMatch(/^The disk is full/);
    expect(describeFailure(new TypeError("x is not a function"))).toBe(
      "Something unexpected went wrong: x is not a function",
    );
  });
});

describe("diskProblem", () => {
  it("counts what is about to be installed", () => {
    const everything = { packages: true, environment: "cpu" } as const;
    expect(diskProblem(folder, everything, 100)).toBeNull();
    expect(diskProblem(folder, everything, 2.5)).toMatch(
      /^Set-up needs 2.8 GB of disk, and .* has 2.5 GB left: free/,
    );
    expect(diskProblem(folder, { packages: false, environment: "cpu" }, 2.5)).toBeNull();
    expect(diskProblem(folder, { packages: false, environment: "cuda" }, 2.5)).toMatch(/needs 7.5 GB/);
    expect(diskProblem(folder, { packages: false, environment: null }, 0)).toBeNull();
  });
});

describe("stamps", () => {
  it("match the same inputs only", () => {
    const file = join(folder, "stamp.json");
    expect(stampMatches(file, {})).toBe(false);
    writeStamp(file, { a: 1, b: "x" });
    expect(stampMatches(file, { b: "x", a: 1 })).toBe(true);
    expect(stampMatches(file, { a: 1 })).toBe(false);
    expect(stampMatches(file, { a: 1, b: "x", c: null })).toBe(false);
    writeFileSync(file, '{"a": 1, "b"');
    expect(stampMatches(file, { a: 1, b: "x" })).toBe(false);
  });

  it("hash names and contents", () => {
    const empty = hashFiles([folder]);
    writeFileSync(join(folder, "one"), "1");
    const one = hashFiles([folder]);
    writeFileSync(join(folder, "one"), "2");
    const two = hashFiles([folder]);
    expect(new Set([empty, one, two, hashFiles([join(folder, "absent")])]).size).toBe(4);
    writeFileSync(join(folder, "one"), "1");
    expect(hashFiles([folder])).toBe(one);
  });
});

describe("formatDuration", () => {
  it.each([
    [0, "0.0 s"],
    [9_940, "9.9 s"],
    [9_960, "10 s"],
    [59_400, "59 s"],
    [59_600, "1 min 0 s"],
    [185_000, "3 min 5 s"],
  ])("%d ms is %s", (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });
});

describe("readCounts", () => {
  const account = (content: string) => {
    const file = join(folder, "vitest.json");
    writeFileSync(file, content);
    return file;
  };

  it("takes vitest's numbers", () => {
    const file = account('{"numPassedTests":3,"numFailedTests":1,"numPendingTests":2,"numTodoTests":0}');
    expect(readCounts(file, 1)).toEqual({ passed: 3, failed: 1, skipped: 2, failures: [] });
  });

  it("names what failed: a test with the first line of its reason, and a file that can't be run", () => {
    const results = [
      { status: "passed", fullName: "adds", failureMessages: [] },
      {
        status: "failed",
        fullName: "sums subtracts",
        failureMessages: ["\u001b[31mError: 1 is not 2\u001b[39m\n  at x"],
      },
    ];
    const testResults = [
      { name: join(projectRoot(), "test/a.test.ts"), status: "failed", assertionResults: results },
      {
        name: join(projectRoot(), "test/b.test.ts"),
        status: "failed",
        message: "Cannot find c\nat y",
        assertionResults: [],
      },
    ];
    expect(readCounts(account(JSON.stringify({ numFailedTests: 1, testResults })), 1).failures).toEqual([
      "test/a.test.ts > sums subtracts: Error: 1 is not 2",
      "test/b.test.ts: Cannot find c",
    ]);
  });

  it("counts a failure that no test shows, a crash, and a run of nothing", () => {
    expect(readCounts(account('{"numPassedTests":3}'), 1)).toMatchObject({ passed: 3, failed: 1 });
    expect(readCounts(account('{"numPassedTests":0}'), 0)).toMatchObject({ failed: 1 });
    expect(readCounts(join(folder, "absent.json"), 139)).toMatchObject({ failed: 1 });
  });
});

describe("findChromium", () => {
  it("takes CHROME_PATH, then the PATH", () => {
    const program = join(folder, "chromium");
    writeFileSync(program, "");
    vi.stubEnv("CHROME_PATH", "");
    vi.stubEnv("PATH", folder);
    expect(findChromium()).toBeNull();
    chmodSync(program, 0o755);
    expect(findChromium()).toBe(program);
    vi.stubEnv("CHROME_PATH", join(folder, "absent"));
    expect(() => findChromium()).toThrow(/CHROME_PATH is .*absent, where no program is/);
  });
});

describe("provideChromium", () => {
  it("says what to install where there is none and none can be installed", async () => {
    vi.stubEnv("CHROME_PATH", "");
    vi.stubEnv("PATH", folder);
    await expect(provideChromium()).rejects.toThrow(
      /need Chrome or Chromium: install one .* and run the same/,
    );
  });
});

describe("formatFindings", () => {
  it("aligns, and puts what to do below its line", () => {
    expect(
      formatFindings([
        fine("Node", "20"),
        wrong("TensorFlow", "no", "Run it."),
        note("Data", "none", "Get some."),
      ]),
    ).toBe(
      [
        "ok     Node        20",
        "WRONG  TensorFlow  no",
        "                   → Run it.",
        "note   Data        none",
        "                   → Get some.",
      ].join("\n"),
    );
  });
});
