import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type FakeProject, makeFakeProject, pythonFacts } from "../support/fake-project";

let project: FakeProject;
beforeEach(() => {
  project = makeFakeProject();
});
afterEach(() => {
  project.remove();
});

describe("set-up says in one sentence what is missing, and what to do", () => {
  /** One line, a full sentence, exit code 1. */
  function expectSentence(pattern: RegExp, args: string[] = [], env: Record<string, string> = {}): void {
    const { code, stderr } = project.run(args, env);
    expect(code).toBe(1);
    expect(stderr).toMatch(pattern);
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
    expect(stderr).not.toMatch(/\n\s+at /);
  }
  const without = (name: string) => rmSync(join(project.programs, name));

  it("is said of the compiler", () => {
    without("c++");
    expectSentence(/No working C\+\+ compiler was found: install one .*and run the same command again/);
    expectSentence(/CXX names "nothing"/, [], { CXX: "nothing" });
    expect(project.calls()).toEqual([]);
  });

  it("is said of npm", () => {
    without("npm");
    expectSentence(/npm was not found: install it/);
  });

  it("is said of Python", () => {
    expectSentence(
      /python3.11 is Python 3.8.18\): install one .*BREAKHIS_PYTHON/,
      [],
      pythonFacts({ version: "3.8.18" }),
    );
    expectSentence(/python3.11 is Python 3.15.0/, [], pythonFacts({ version: "3.15.0" }));
    expectSentence(
      /python3.11 \(Python 3.11\) can't make virtual environments: install its venv module/,
      [],
      pythonFacts({ ensurepip: false }),
    );
    expectSentence(/not the ordinary 64-bit CPython/, [], pythonFacts({ implementation: "PyPy" }));
    expectSentence(/another C library than glibc/, [], pythonFacts({ libc: "" }));
    expectSentence(/\/no\/python could not be run/, [], { BREAKHIS_PYTHON: "/no/python" });
    without("python3.11");
    expectSentence(/No Python from 3.10 to 3.14 was found: install one/);
  });

  it("is said of all at once", () => {
    without("c++");
    without("python3.11");
    const { code, stderr } = project.run();
    expect(code).toBe(1);
    expect(stderr.trimEnd().split("\n")).toHaveLength(2);
  });

  it("is said of the network", () => {
    const npm = "npm error code EAI_AGAIN\nnpm error request to the registry failed";
    expectSentence(/registry could not be reached: check the network/, [], { FAKE_NPM: npm });
    const pip =
      "ERROR: Could not find a version that satisfies the requirement x\nWARNING: NewConnectionError('Failed to establish a new connection: [Errno -2] Name or service not known')";
    expectSentence(/registry could not be reached: check the network/, [], { FAKE_PIP: pip });
  });

  it("is said of the disk", () => {
    expectSentence(/disk is full: free some/, [], { FAKE_NPM: "npm error code ENOSPC" });
    expectSentence(/disk is full/, [], { FAKE_PIP: "OSError: [Errno 28] No space left on device" });
    expectSentence(/disk is full/, [], {
      FAKE_COMPILER: "/usr/bin/ld: final link failed: No space left on device",
    });
  });

  it("is shown by a program's own last lines where the cause is not known", () => {
    const { code, stderr } = project.run([], { FAKE_COMPILER: "tfjs_backend.cc:1: error: strange" });
    expect(code).toBe(1);
    expect(stderr).toContain("tfjs_backend.cc:1: error: strange");
    expect(stderr).toMatch(/Compiling the TensorFlow addon failed .* \.cache\/logs\/addon\.log/);
    expect(project.run().code).toBe(0);
  });

  it("is said of a flag's value", () => {
    expectSentence(/--tensorflow takes cpu, cuda or auto, not "gpu"/, ["--tensorflow", "gpu"]);
    expectSentence(/Unknown option '--tensorflo'/, ["--tensorflo"]);
  });

  it("is said of a project that isn't whole", () => {
    rmSync(join(project.root, "jupyter/kernel.js"));
    expectSentence(/jupyter\/kernel.js is missing/);
  });

  it("is said of the platform and of Node, whatever else is missing", () => {
    const entry = join(project.root, "scripts", "setup.js");
    const pretend = (property: string, value: string) => {
      const code = `Object.defineProperty(process, ${JSON.stringify(property)}, { value: ${JSON.stringify(value)} }); require(${JSON.stringify(entry)});`;
      return spawnSync(process.execPath, ["-e", code], { encoding: "utf8", env: { PATH: "" } });
    };
    for (const [property, value, sentence] of [
      [
        "platform",
        "darwin",
        /^breakhis-lab runs on Linux on x86-64 or arm64 only, and this is darwin on (x64|arm64): use .*\n$/,
      ],
      [
        "arch",
        "riscv64",
        /^breakhis-lab runs on Linux on x86-64 or arm64 only, and this is linux on riscv64: use .*\n$/,
      ],
      [
        "version",
        "v18.20.8",
        /^breakhis-lab needs Node 22.12 or later .* but this is Node 18.20.8: install .*\n$/,
      ],
    ] as const) {
      const { status, stderr } = pretend(property, value);
      expect(stderr).toMatch(sentence);
      expect(status).toBe(1);
    }
  });
});
