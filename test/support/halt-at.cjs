// @ts-check
"use strict";
// Loaded before a program (`node -r`): counts how often it changes the file system and halts it for good at one of
// these moments, so that a test kills it there, on a slow machine as on a fast one.
//
// HALT_AT: the moment, from 1 on; without it the program runs to its end. A program may set it late. HALT_FILE: gets "halted" when it stands, or
// the number of changes when it ends. HALT_BELOW: only changes of paths below this folder count, and
// not of those that hold HALT_EXCEPT. HALT_PROGRAM: of many
// processes that inherit all this, only one whose command line holds this text is halted.
const fs = require("node:fs");
const path = require("node:path");

const isMeant = process.argv.join(" ").includes(process.env["HALT_PROGRAM"] ?? "");
const report = /** @type {string} */ (process.env["HALT_FILE"]);
const below = `${path.resolve(/** @type {string} */ (process.env["HALT_BELOW"]))}${path.sep}`;
// What was replaced is needed to report.
const { writeFileSync } = fs;
const writeNow = writeFileSync.bind(fs);
const { renameSync } = fs;

let changes = 0;

/** @param {string} text */
function tell(text) {
  writeNow(`${report}.draft`, text);
  renameSync(`${report}.draft`, report);
}

/** @param {() => void} [begin] - What is done of the change before the program stands still. */
function step(begin = () => {}) {
  changes++;
  if (!isMeant) return;
  if (changes !== Number(process.env["HALT_AT"])) return;
  begin();
  tell("halted");
  // The whole thread waits, TensorFlow's and libuv's go on: as a machine does whose power is about to fail.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}

const except = process.env["HALT_EXCEPT"] || "\0";

/** @param {unknown} target */
const counts = (target) => path.resolve(String(target)).startsWith(below) && !String(target).includes(except);

/** Files opened for writing, by their descriptor. @type {Map<number, string>} */
const opened = new Map();

/** @param {unknown} flags */
const writes = (flags) =>
  typeof flags === "number" ? (flags & 3) !== 0 : /[wa+]/.test(String(flags ?? "r"));

/**
 * @param {Record<string, any>} module
 * @param {string} name
 * @param {(args: any[]) => unknown} notice - Returns the path that is changed, or null.
 */
function watch(module, name, notice) {
  const original = module[name];
  if (typeof original !== "function") return;
  module[name] = function watched(/** @type {any[]} */ ...args) {
    const target = notice(args);
    if (target !== null && counts(target)) step(halfOf(name, args));
    return original.apply(this, args);
  };
}

/**
 * A write that is cut short in its middle: half of the content is there when the program stands still.
 *
 * @param {string} name
 * @param {any[]} args
 */
function halfOf(name, args) {
  if (!name.startsWith("writeFile") || typeof args[0] !== "string") return undefined;
  return () =>
    writeNow(args[0], Buffer.from(args[1]).subarray(0, Math.floor(Buffer.byteLength(args[1]) / 2)));
}

const first = (/** @type {any[]} */ args) => args[0];
const second = (/** @type {any[]} */ args) => args[1];
for (const suffix of ["", "Sync"]) {
  for (const module of suffix === "" ? [fs, fs.promises] : [fs]) {
    for (const name of ["writeFile", "appendFile", "mkdir", "mkdtemp", "rm", "rmdir", "unlink", "truncate"])
      watch(module, name + suffix, first);
    for (const name of ["rename", "link", "symlink", "copyFile", "cp"]) watch(module, name + suffix, second);
    watch(module, `open${suffix}`, (args) => (writes(args[1]) ? args[0] : null));
  }
}
for (const name of ["write", "writev", "writeSync", "writevSync", "ftruncateSync", "fsyncSync", "fsync"])
  watch(fs, name, ([descriptor]) => opened.get(descriptor) ?? null);
const { openSync, open } = fs;
fs.openSync = (/** @type {any[]} */ ...args) => {
  const descriptor = /** @type {any} */ (openSync)(...args);
  if (writes(args[1])) opened.set(descriptor, String(args[0]));
  return descriptor;
};
fs.open = /** @type {any} */ (
  (/** @type {any[]} */ ...args) => {
    const callback = args.pop();
    return /** @type {any} */ (open)(
      ...args,
      (/** @type {any} */ error, /** @type {number} */ descriptor) => {
        if (error === null && writes(args[1])) opened.set(descriptor, String(args[0]));
        callback(error, descriptor);
      },
    );
  }
);
const openHandle = fs.promises.open;
fs.promises.open = async (...args) => {
  const handle = await openHandle(...args);
  if (writes(args[1]) && counts(args[0])) {
    const methods = /** @type {Record<string, any>} */ (/** @type {unknown} */ (handle));
    for (const name of ["write", "writev", "writeFile", "appendFile", "sync", "datasync", "truncate"])
      watch(methods, name, () => args[0]);
  }
  return handle;
};

// Of several processes, one that ends before the moment says nothing: the next one may reach it.
const isOneOfMany = process.env["HALT_PROGRAM"] !== undefined && Number(process.env["HALT_AT"]) > 0;
if (isMeant && !isOneOfMany) process.on("exit", () => tell(String(changes)));
