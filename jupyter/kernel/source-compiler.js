"use strict";

/**
 * What the kernel and the programs make of a `.ts` file of the project: JavaScript for Node, and, where cells are checked
 * against it, its declarations.
 *
 * Both come from one file alone (every export in `src` says its type), so they are kept by the file's content: an
 * edit costs one file, and a new process reads what an earlier one made.
 */

const crypto = require("node:crypto");
const fs = require("node:fs");
const path = require("node:path");

const PROJECT = path.resolve(__dirname, "..", "..");

/** Raised when the same text is compiled to something else. */
const FORMAT = 2;

/**
 * @typedef {object} Compiled
 * @property {string} key - Of the text, the compilers and their options.
 * @property {string} code - CommonJS.
 * @property {string} map - The source map from it to the file.
 * @property {string | null} [declaration] - Null if the types can't be told from this file alone; nothing before somebody
 * asks for it, as programs never do.
 */

function createSourceCompiler() {
  /** @type {Map<string, Compiled>} */
  const known = new Map();

  /**
   * @param {string} file - Absolute.
   * @returns {Compiled}
   * @throws Error with esbuild's message and the place, if it is no TypeScript.
   */
  const compile = (file) => compileText(file, fs.readFileSync(file, "utf8"));

  /**
   * @param {string} file - Absolute.
   * @returns {string | null}
   * @throws Error as `compile` does.
   */
  function declare(file) {
    const text = fs.readFileSync(file, "utf8");
    const compiled = compileText(file, text);
    if (compiled.declaration !== undefined) return compiled.declaration;
    const declaration = wholeDeclaration(file, text);
    remember(file, { ...compiled, declaration });
    return declaration;
  }

  function compileText(file, text) {
    const key = keyOf(text);
    const before = known.get(file);
    if (before?.key === key) return before;
    const kept = readKept(file, key);
    if (kept === null) return remember(file, { key, ...toCommonJs(file, text) });
    known.set(file, kept);
    return kept;
  }

  function remember(file, compiled) {
    keep(file, compiled);
    known.set(file, compiled);
    return compiled;
  }

  return { compile, declare };
}

function keyOf(text) {
  const versions = ["esbuild", "typescript"].map((name) => require(`${name}/package.json`).version);
  return crypto
    .createHash("sha256")
    .update([FORMAT, process.versions.node, ...versions, text].join("\n"))
    .digest("hex");
}

function toCommonJs(file, text) {
  const { code, map } = require("esbuild").transformSync(text, {
    loader: "ts",
    format: "cjs",
    platform: "node",
    target: `node${process.versions.node}`,
    sourcemap: "external",
    sourcefile: file,
    logLevel: "silent",
    // A dynamic import finds files as a static one does.
    supported: { "dynamic-import": false },
    tsconfigRaw: { compilerOptions: { strict: true, useDefineForClassFields: true } },
  });
  return { code, map };
}

function wholeDeclaration(file, text) {
  const { outputText, diagnostics } = declareAlone(file, text);
  return diagnostics.length === 0 ? outputText : null;
}

/**
 * @param {string} file
 * @param {string} text
 * @returns The declarations of a file, made without looking into any other, and what keeps them from being whole.
 */
function declareAlone(file, text) {
  // The project's compiler: tslab's is too old for this.
  const typescript = require("typescript");
  const { outputText, diagnostics = [] } = typescript.transpileDeclaration(text, {
    fileName: file,
    reportDiagnostics: true,
    compilerOptions: {
      target: typescript.ScriptTarget.ES2022,
      module: typescript.ModuleKind.CommonJS,
      strict: true,
      isolatedDeclarations: true,
      declaration: true,
    },
  });
  return { outputText, diagnostics };
}

/** Where a file's compiled form is kept, or null for files of other projects: their folders are not ours to fill. */
function placeOf(file) {
  const name = path.relative(PROJECT, file);
  if (name.startsWith("..") || path.isAbsolute(name)) return null;
  const cache = process.env["BREAKHIS_CACHE"] || path.join(PROJECT, ".cache");
  return `${path.join(path.resolve(cache), "code", name)}.json`;
}

/** @returns {Compiled | null} */
function readKept(file, key) {
  const place = placeOf(file);
  if (place === null) return null;
  try {
    const { checksum, ...compiled } = JSON.parse(fs.readFileSync(place, "utf8"));
    return compiled.key === key && checksum === checksumOf(compiled) ? compiled : null;
  } catch {
    // Not there yet, or damaged: it is made again.
    return null;
  }
}

/** Keeps the newest form of each file, whole or not at all; without a place to write, kernels compile for themselves. */
function keep(file, compiled) {
  const place = placeOf(file);
  if (place === null) return;
  const unfinished = `${place}.${process.pid}`;
  try {
    fs.mkdirSync(path.dirname(place), { recursive: true });
    fs.writeFileSync(unfinished, JSON.stringify({ checksum: checksumOf(compiled), ...compiled }));
    fs.renameSync(unfinished, place);
  } catch {
    if (fs.existsSync(unfinished)) fs.rmSync(unfinished, { force: true });
  }
}

function checksumOf({ key, code, map, declaration }) {
  return crypto
    .createHash("sha256")
    .update(JSON.stringify([key, code, map, declaration]))
    .digest("hex");
}

module.exports = { createSourceCompiler, declareAlone };
