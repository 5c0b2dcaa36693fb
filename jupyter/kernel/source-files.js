"use strict";

/**
 * The project's `.ts` files as Node and tslab's compiler meet them.
 *
 * tslab would parse, check and compile all of `src` anew in each kernel, and again after each edit: 22 s of
 * processor time before the first figure. Here Node loads each file's kept JavaScript as a module of its own, and the
 * compiler reads its declarations in place of its text. A file that is edited while the kernel runs is shown to the
 * compiler itself, so that mistakes in it are named before the cell runs; all of `src` is checked by `npm run check`.
 */

const fs = require("node:fs");
const Module = require("node:module");
const path = require("node:path");
const { createSourceCompiler } = require("./source-compiler");

const DECLARATION = /\.d\.ts$/;

/**
 * @param {string} root - The project's folder; files elsewhere and packages are none of ours.
 */
function createSourceFiles(root) {
  const compiler = createSourceCompiler();
  const startedAtMs = Date.now();
  /** What was seen of each file that the compiler or Node asked for. @type {Map<string, string | null>} */
  const seen = new Map();
  /** Files that changed since the kernel started. @type {Set<string>} */
  const edited = new Set();
  /** Source maps of the loaded modules, by file. @type {Map<string, string>} */
  const maps = new Map();
  let stale = false;

  const isOurs = (file) =>
    file.endsWith(".ts") &&
    !DECLARATION.test(file) &&
    file.startsWith(root + path.sep) &&
    !file.includes(`${path.sep}node_modules${path.sep}`);

  /** Notes a file's state at first sight; one written since the kernel started counts as edited. */
  function see(file) {
    if (seen.has(file) || !isOurs(file)) return;
    const stats = fs.statSync(file, { throwIfNoEntry: false });
    seen.set(file, stateOf(stats));
    if (stats !== undefined && stats.mtimeMs > startedAtMs) edited.add(file);
  }

  /** @returns Whether files were edited, removed or restored since the last look. */
  function refresh() {
    let changed = false;
    for (const [file, before] of seen) {
      const state = stateOf(fs.statSync(file, { throwIfNoEntry: false }));
      if (state === before) continue;
      seen.set(file, state);
      edited.add(file);
      changed = true;
    }
    stale ||= changed;
    return changed;
  }

  /** Whether the compiler reads declarations under this name that no file holds. */
  function standsForFile(name) {
    const file = name.replace(DECLARATION, ".ts");
    return DECLARATION.test(name) && isOurs(file) && seen.has(file) && !edited.has(file);
  }

  /** The file whose declarations the compiler asks for by this name, or null if it is to read the file itself. */
  function declaredFile(name) {
    if (!DECLARATION.test(name)) return null;
    const file = name.replace(DECLARATION, ".ts");
    return isOurs(file) && declarationOf(file) !== null ? file : null;
  }

  /** @returns {string | null} */
  function declarationOf(file) {
    if (!fs.existsSync(file)) return null;
    see(file);
    if (edited.has(file)) return null;
    try {
      return compiler.compile(file).declaration;
    } catch {
      // No TypeScript: the compiler is to say so.
      edited.add(file);
      return null;
    }
  }

  /** Lets Node load `.ts` files of the project. */
  function registerLoader() {
    Module._extensions[".ts"] = (module, file) => {
      see(file);
      const { code, map } = compiler.compile(file);
      maps.set(file, map);
      module._compile(code, file);
    };
  }

  /**
   * Forgets all loaded modules if one of them was edited, so that the next import loads them together: single ones
   * would go on with the old files that they import.
   */
  function unloadStale() {
    if (!stale) return;
    stale = false;
    for (const [file, module] of Object.entries(require.cache)) {
      if (!isOurs(file)) continue;
      delete require.cache[file];
      const siblings = module?.parent?.children;
      if (siblings !== undefined) siblings.splice(siblings.indexOf(module), 1);
    }
    // Where a name led: to a file that may be gone, or come back.
    for (const [request, file] of Object.entries(Module._pathCache)) {
      if (isOurs(file)) delete Module._pathCache[request];
    }
  }

  const editedFiles = () => [...edited].filter((file) => fs.existsSync(file));
  const mapOf = (file) => maps.get(file);

  return {
    isOurs,
    refresh,
    standsForFile,
    declaredFile,
    declarationOf,
    registerLoader,
    unloadStale,
    editedFiles,
    mapOf,
  };
}

/** What changes when a file is edited in place or replaced by a new one; null if there is none. */
function stateOf(stats) {
  return stats === undefined ? null : `${stats.mtimeMs} ${stats.size} ${stats.ino}`;
}

module.exports = { createSourceFiles, stateOf };
