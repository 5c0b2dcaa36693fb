import { type ChildProcess, spawn } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { join, relative } from "node:path";
import { expect } from "vitest";
import { sha256 } from "../../src/runtime/cache/content-hash";
import { cacheFolder, projectRoot } from "../../src/runtime/paths";
import { type Halt, haltAt } from "./halt";
import { waitUntil } from "./wait-until";

/** A program that is killed at one of its changes of a folder, and run again. */
export interface KilledProgram {
  name: string;
  /** Program and arguments, for node or, with `python`, for that; what it writes lies in `home`. */
  command(home: string): { args: string[]; python?: string; env?: Record<string, string> };
  /** Where it starts others: what the command line of the one that is killed in holds. */
  within?: string;
  /** What it finds in its home when it starts. */
  prepare?(home: string): void;
  /** Paths in its home that hold times, or things in the order in which they were done, and are only looked for. */
  varying?: RegExp;
  /** What it says, with exit code 1, where the killed one had done everything but its last bit of tidying. */
  alreadyDone?: RegExp;
  /** Whether it keeps a run: that of the killed one stays and says that it crashed, and the latest one's results count. */
  keepsRun?: boolean;
  /** Kills in `npm test`, and with BREAKHIS_KILLS=all. */
  kills: readonly [number, number];
}

/** What a home holds of a program's own: paths with their content's checksum, or "there" where that varies. */
export type Results = Record<string, string>;

// What TypeScript was compiled to is kept here by tsx, the weights are shared, and Python's ONNX packages leave a number.
const notOwn = /^(?:tmp\/\.ses$|tmp\/tsx-|cache\/weights$|tmp\/node-compile-cache)/;
// The index of images lists them in the order in which they were looked into, by times.
const varies = /^cache\/images\//;
/** What differs from one run to the next in a text: times, ports of a test's server, and a page's random number. */
const momentary = /\d{4}-\d\d-\d\d[T ]\d\d:\d\d[\d:.]*Z?|127\.0\.0\.1:\d+|nonce[-=]"?[\w+/=]+/g;
const leftBehind = /unfinished|\.draft|breakhis-lab~/;

function checksumOf(home: string, path: string): string {
  const content = readFileSync(join(home, path));
  if (!/\.(?:json|html|md)$/.test(path)) return sha256(content);
  return sha256(content.toString("latin1").replaceAll(home, "home").replace(momentary, ""));
}

function filesIn(home: string): string[] {
  return readdirSync(home, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory() || leftBehind.test(entry.name))
    .map((entry) => relative(home, join(entry.parentPath, entry.name)))
    .filter((path) => !notOwn.test(path))
    .sort();
}

/** What the numbers of a run are; beside them it holds times. */
const resultsOfRun = /^(?:predictions\.csv|split\.json|classifier\/(?!classifier\.json).*)$/;

function resultsOfLatest(home: string): Results {
  const folder = join(home, "runs", "latest");
  const paths = readdirSync(folder, { recursive: true }) as string[];
  const results = paths.filter((path) => resultsOfRun.test(path));
  expect(results).toContain("predictions.csv");
  return Object.fromEntries(results.sort().map((path) => [path, sha256(readFileSync(join(folder, path)))]));
}

/** Everything in the home after a run to its end; fails if a killed one's leftovers are still there. */
function resultsIn(home: string, { varying, keepsRun }: KilledProgram): Results {
  const paths = filesIn(home);
  const left = paths.filter((path) => leftBehind.test(path) && !/\/unfinished$/.test(path));
  expect(left).toEqual([]);
  if (keepsRun === true) return resultsOfLatest(home);
  return Object.fromEntries(
    paths
      .filter((path) => !leftBehind.test(path))
      .map((path) => [
        path,
        varies.test(path) || varying?.test(path) === true ? "there" : checksumOf(home, path),
      ]),
  );
}

/** Processes that know of this halt: the program and whatever it started, in sessions of their own too. */
function processesOf(halt: Halt): number[] {
  const mark = `HALT_FILE=${halt.env["HALT_FILE"]}`;
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((id) => {
      try {
        return readFileSync(`/proc/${id}/environ`, "latin1").includes(mark);
      } catch {
        return false;
      }
    });
}

const exists = (id: number) => {
  try {
    // A process that was killed and not yet waited for is gone, too.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${id}/status`, "latin1"));
  } catch {
    return false;
  }
};

/** A program with its homes, one a run. */
export class KillTest {
  private readonly warm: string;
  private homes = 0;

  constructor(
    private readonly program: KilledProgram,
    private readonly folder: string,
  ) {
    this.warm = join(folder, program.name, "warm");
  }

  /** Runs it undisturbed: what it leaves, and how often it changed its home. */
  async undisturbed(): Promise<{ results: Results; changes: number }> {
    const home = this.freshHome();
    const halt = haltAt(0, home, this.program.within);
    await this.toItsEnd(home, halt);
    const results = resultsIn(home, this.program);
    const changes = await halt.changes();
    // What tsx compiled need not be compiled, and counted, again.
    mkdirSync(this.warm, { recursive: true });
    for (const name of readdirSync(join(home, "tmp"))) {
      if (name.startsWith("tsx-"))
        cpSync(join(home, "tmp", name), join(this.warm, name), { recursive: true });
    }
    return { results, changes };
  }

  /** Kills it at a change, and what it started; runs it again to its end, and says what is there then. */
  async killedAt(moment: number): Promise<Results> {
    const home = this.freshHome();
    const halt = haltAt(moment, home, this.program.within);
    const { child, output } = this.start(home, halt);
    const ended = new Promise((resolve) => child.once("exit", resolve));
    await Promise.race([halt.reached(), ended]);
    expect(child.exitCode, `${this.program.name} ended before change ${moment}: ${output()}`).toBeNull();
    const all = processesOf(halt);
    for (const id of all) process.kill(id, "SIGKILL");
    await ended;
    await waitUntil(() => !all.some(exists));
    expect(child.signalCode, `${this.program.name}, change ${moment}: ${output()}`).toBe("SIGKILL");
    await this.toItsEnd(home, haltAt(0, home, this.program.within));
    const results = resultsIn(home, this.program);
    rmSync(home, { recursive: true });
    return results;
  }

  private async toItsEnd(home: string, halt: Halt): Promise<void> {
    const { child, output } = this.start(home, halt);
    const code = await new Promise((resolve) => child.once("exit", resolve));
    if (code === 1 && this.program.alreadyDone?.test(output()) === true) return;
    expect(code, `${this.program.name}: ${output()}`).toBe(0);
  }

  private freshHome(): string {
    const home = join(this.folder, this.program.name, `home-${++this.homes}`);
    for (const name of ["tmp", "cache", "out"]) mkdirSync(join(home, name), { recursive: true });
    symlinkSync(join(cacheFolder(), "weights"), join(home, "cache", "weights"));
    if (this.homes > 1) cpSync(this.warm, join(home, "tmp"), { recursive: true });
    this.program.prepare?.(home);
    return home;
  }

  private start(home: string, halt: Halt): { child: ChildProcess; output: () => string } {
    const { args, python, env } = this.program.command(home);
    const child = spawn(python ?? process.execPath, [...halt.args, ...args], {
      cwd: projectRoot(),
      env: {
        ...process.env,
        BREAKHIS_CACHE: join(home, "cache"),
        BREAKHIS_RUNS: join(home, "runs"),
        TMPDIR: join(home, "tmp"),
        TSX_TSCONFIG_PATH: join(projectRoot(), "tsconfig.json"),
        BREAKHIS_SETTINGS: "",
        HALT_EXCEPT: "/tsx-",
        ...env,
        ...halt.env,
      },
    });
    let said = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (said += data));
    return { child, output: () => said.slice(-3000) };
  }
}
