import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { projectRoot } from "../../src/runtime/paths";

/** How one run of a program ended. */
export interface Outcome {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** A copy of set-up in a project of its own, where npm, Python, pip and the compiler are stand-ins. */
export interface FakeProject {
  root: string;
  /** Stand-ins, by name, in the one folder of the PATH. */
  programs: string;
  /** The calls of stand-ins since the last look, such as "npm ci". */
  calls(): string[];
  run(args?: string[], env?: Record<string, string>): Outcome;
  start(env?: Record<string, string>): ChildProcess;
  remove(): void;
}

/** Any native addon that loads: what the stand-in for the compiler "makes". */
const someAddon = join(
  projectRoot(),
  `node_modules/lightningcss-linux-${process.arch}-gnu/lightningcss.linux-${process.arch}-gnu.node`,
);

/** Answers as npm, Python, pip or the compiler would; `FAKE_<PROGRAM>` makes it fail or hang. */
const standIn = `#!/bin/sh
PATH=/usr/bin:/bin
name=$(basename "$0")
fail() {
  case "$1" in
    hang) exec sleep 60 ;;
    "") return ;;
    *) echo "$1" >&2; exit 1 ;;
  esac
}
case "$name" in
  npm)
    [ "$1" = "--version" ] && { echo "\${FAKE_NPM_VERSION:-10.8.2}"; exit 0; }
    if [ "$2" = "--prefix" ]; then
      echo "npm itself" >> "$FAKE_CALLS"
      [ -f "$3/package-lock.json" ] || exit 1
      mkdir -p "$3/node_modules/npm/bin"
      echo 'require("node:child_process").spawnSync(process.env.FAKE_NEWER_NPM, process.argv.slice(2), { stdio: "inherit" });' \
        > "$3/node_modules/npm/bin/npm-cli.js"
      exit 0
    fi
    echo "npm $1" >> "$FAKE_CALLS"
    rm -rf node_modules; mkdir -p node_modules/half
    fail "$FAKE_NPM"
    cp -r fake/node_modules/. node_modules ;;
  python*)
    case "$1 $2" in
      "-c "*) echo "$FAKE_PYTHON_FACTS" ;;
      "-I -S") echo "$FAKE_PYTHON_FACTS" | sed 's/.*"version":"\\([^"]*\\)".*/\\1/' ;;
      "-m venv")
        echo "venv" >> "$FAKE_CALLS"
        mkdir -p "$3/bin" "$3/lib/python3.11/site-packages"; cp "$0" "$3/bin/python" ;;
      "-m pip")
        for last; do :; done
        wheel=$(dirname "$0")/../lib/python3.11/site-packages/tensorflow
        target=""
        for word; do [ "$before" = "--target" ] && { target=" for another Python"; wheel=$word/tensorflow; }; before=$word; done
        echo "pip $(grep -c == "$last") $(grep -oE '^tensorflow[a-z-]*' "$last" | head -1)$target" >> "$FAKE_CALLS"
        fail "$FAKE_PIP"
        mkdir -p "$wheel/include"; touch "$wheel/libtensorflow_cc.so.2"
        nvidia=$(dirname "$wheel")/nvidia
        if grep -q "^nvidia-cusolver" "$last"; then
          mkdir -p "$nvidia/cublas/lib" "$nvidia/cusolver/lib"; touch "$nvidia/cusolver/lib/libcusolver.so.11"
        fi ;;
      *) echo "convert" >> "$FAKE_CALLS"; mkdir -p "$(dirname "$2")"; echo weights > "$2" ;;
    esac ;;
  c++)
    [ "$2" = "-fsyntax-only" ] && exit 0
    echo "c++" >> "$FAKE_CALLS"
    fail "$FAKE_COMPILER"
    while [ "$1" != "-o" ]; do shift; done
    ln -s "$FAKE_ADDON" "$2" ;;
  nvidia-smi) echo "GPU 0: NVIDIA H200 (UUID: GPU-0)" ;;
esac
`;

/** Stands in for TensorFlow's loader, which knows the folder of cuBLAS and not that of cuSOLVER. */
const askLoader = `
const { existsSync } = require("node:fs");
const { join } = require("node:path");
const folder = join(process.argv[2], "../../../../../../.venv/lib/python3.11/site-packages/nvidia/cublas/lib");
const lost = "Could not load dynamic library 'libcusolver.so.11'; dlerror: no such file";
const cuSOLVER = existsSync(join(folder, "libcusolver.so.11")) ? null : lost;
const driver = "Could not load dynamic library 'libcuda.so.1'; dlerror: no such file";
console.log(JSON.stringify({ answers: { "CUDA driver": driver, cuBLAS: null, cuSOLVER }, folders: [folder] }));
`;

const goodPython = {
  version: "3.11.7",
  implementation: "CPython",
  bits: 64,
  libc: "glibc",
  threads: "gil",
  venv: true,
  ensurepip: true,
};

/** Facts of a stand-in Python, for the environment variable that makes it tell them. */
export const pythonFacts = (changes: Record<string, unknown> = {}) => ({
  FAKE_PYTHON_FACTS: JSON.stringify({ ...goodPython, ...changes }),
});

/** One package for every machine, one for this one and one for others. */
const packages = {
  "node_modules/left": { version: "1.0.0", integrity: "sha512-left" },
  "node_modules/native": {
    version: "2.0.0",
    integrity: "sha512-n",
    optional: true,
    os: ["linux"],
    cpu: [process.arch],
  },
  "node_modules/other": {
    version: "2.0.0",
    integrity: "sha512-o",
    optional: true,
    os: ["darwin"],
    cpu: ["x64"],
  },
};

function write(root: string, file: string, content: string): void {
  mkdirSync(join(root, file, ".."), { recursive: true });
  writeFileSync(join(root, file), content);
}

function writeProject(root: string): void {
  const real = projectRoot();
  cpSync(join(real, "scripts", "setup"), join(root, "scripts", "setup"), { recursive: true });
  cpSync(join(real, "scripts", "setup.js"), join(root, "scripts", "setup.js"));
  cpSync(join(real, "jupyter"), join(root, "jupyter"), { recursive: true });
  cpSync(join(real, "python"), join(root, "python"), { recursive: true });
  write(root, "scripts/setup/native/ask-loader.js", askLoader);
  write(root, "package-lock.json", JSON.stringify({ packages: { "": {}, ...packages } }));
  const { "node_modules/other": _, ...installed } = packages;
  write(root, "fake/node_modules/.package-lock.json", JSON.stringify({ packages: installed }));
  const modules = ["left", "native", "plotly.js-dist", "node-api-headers", "@tensorflow/tfjs-node-gpu"];
  for (const name of modules) write(root, `fake/node_modules/${name}/package.json`, '{"version":"1.0.0"}');
  write(root, "fake/node_modules/plotly.js-dist/plotly.js", "// plotly");
  write(root, "fake/node_modules/node-api-headers/include/node_api.h", "// headers");
  write(root, "fake/node_modules/@tensorflow/tfjs-node-gpu/binding/tfjs_backend.cc", "// source");
}

/** Makes the project in a temporary folder; `remove` takes it away. */
export function makeFakeProject(): FakeProject {
  const root = mkdtempSync(join(tmpdir(), "breakhis-setup-"));
  const programs = join(root, "programs");
  const callsFile = join(root, "calls");
  let seen = 0;
  writeProject(root);
  mkdirSync(programs);
  for (const name of ["npm", "python3.11", "c++"]) addProgram(programs, name);
  const environment = (env: Record<string, string>) => ({
    PATH: programs,
    HOME: root,
    FAKE_CALLS: callsFile,
    FAKE_ADDON: someAddon,
    FAKE_NEWER_NPM: join(programs, "npm"),
    ...pythonFacts(),
    ...env,
  });
  const entry = join(root, "scripts", "setup.js");
  return {
    root,
    programs,
    calls() {
      const lines = existsSync(callsFile) ? readFileSync(callsFile, "utf8").split("\n").slice(0, -1) : [];
      const before = seen;
      seen = lines.length;
      return lines.slice(before);
    },
    run(args = [], env = {}) {
      const options = { encoding: "utf8" as const, cwd: root, env: environment(env) };
      const { status, stdout, stderr } = spawnSync(process.execPath, [entry, ...args], options);
      return { code: status, stdout, stderr };
    },
    start: (env = {}) =>
      spawn(process.execPath, [entry], { cwd: root, env: environment(env), stdio: "ignore" }),
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}

/** Adds a stand-in. */
export function addProgram(folder: string, name: string): void {
  writeFileSync(join(folder, name), standIn);
  chmodSync(join(folder, name), 0o755);
}

/** A change of a file's content, as an edit or a new release makes it. */
export function touchContent(root: string, file: string): void {
  appendFileSync(join(root, file), "\n# changed\n");
}

/** Puts the real program of this name into the folder of stand-ins. */
export function linkProgram(folder: string, target: string, name: string): void {
  symlinkSync(target, join(folder, name));
}
