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

class SourceFiles {
  #compiler = createSourceCompiler();
  #startedAtMs = Date.now();
  /** What was seen of each file that the compiler or Node asked for. @type {Map<string, string | null>} */
  #seen = new Map();
  /** Files that changed since the kernel started. @type {Set<string>} */
  #edited = new Set();
  /** Source maps of the loaded modules, by file. @type {Map<string, string>} */
  #maps = new Map();
  #stale = false;
  #root;

  /** @param {string} root - The project's folder; files elsewhere and packages are none of ours. */
  constructor(root) {
    this.#root = root + path.sep;
  }

  isOurs(file) {
    return (
      file.endsWith(".ts") &&
      !DECLARATION.test(file) &&
      file.startsWith(this.#root) &&
      !file.includes(`${path.sep}node_modules${path.sep}`)
    );
  }

  /** @returns Whether files were edited, removed or restored since the last look. */
  refresh() {
    let changed = false;
    for (const [file, before] of this.#seen) {
      const state = stateOf(fs.statSync(file, { throwIfNoEntry: false }));
      if (state === before) continue;
      this.#seen.set(file, state);
      this.#edited.add(file);
      changed = true;
    }
    this.#stale ||= changed;
    return changed;
  }

  /** Files that changed since the kernel started and are there. @returns {string[]} */
  editedFiles() {
    return [...this.#edited].filter((file) => fs.existsSync(file));
  }

  /** Whether the compiler reads declarations under this name that no file holds. */
  standsForFile(name) {
    const file = name.replace(DECLARATION, ".ts");
    return DECLARATION.test(name) && this.isOurs(file) && this.#seen.has(file) && !this.#edited.has(file);
  }

  /** The file whose declarations the compiler asks for by this name, or null if it is to read the file itself. */
  declaredFile(name) {
    if (!DECLARATION.test(name)) return null;
    const file = name.replace(DECLARATION, ".ts");
    return this.isOurs(file) && this.declarationOf(file) !== null ? file : null;
  }

  /** @returns {string | null} */
  declarationOf(file) {
    if (!fs.existsSync(file)) return null;
    this.#see(file);
    if (this.#edited.has(file)) return null;
    try {
      return this.#compiler.declare(file);
    } catch {
      // No TypeScript: the compiler is to say so.
      this.#edited.add(file);
      return null;
    }
  }

  /** Lets Node load `.ts` files of the project. */
  registerLoader() {
    Module._extensions[".ts"] = (module, file) => {
      this.#see(file);
      const { code, map } = this.#compiler.compile(file);
      this.#maps.set(file, map);
      module._compile(code, file);
    };
  }

  /** The source map of a loaded module. @returns {string | undefined} */
  mapOf(file) {
    return this.#maps.get(file);
  }

  /**
   * Forgets all loaded modules if one of them was edited, so that the next import loads them together: single ones
   * would go on with the old files that they import.
   */
  unloadStale() {
    if (!this.#stale) return;
    this.#stale = false;
    for (const [file, module] of Object.entries(require.cache)) {
      if (!this.isOurs(file)) continue;
      delete require.cache[file];
      const siblings = module?.parent?.children;
      if (siblings !== undefined) siblings.splice(siblings.indexOf(module), 1);
    }
    // Where a name led: to a file that may be gone, or come back.
    for (const [request, file] of Object.entries(Module._pathCache)) {
      if (this.isOurs(file)) delete Module._pathCache[request];
    }
  }

  /** Notes a file's state at first sight; one written since the kernel started counts as edited. */
  #see(file) {
    if (this.#seen.has(file) || !this.isOurs(file)) return;
    const stats = fs.statSync(file, { throwIfNoEntry: false });
    this.#seen.set(file, stateOf(stats));
    if (stats !== undefined && stats.mtimeMs > this.#startedAtMs) this.#edited.add(file);
  }
}

/** What changes when a file is edited in place or replaced by a new one; null if there is none. */
function stateOf(stats) {
  return stats === undefined ? null : `${stats.mtimeMs} ${stats.size} ${stats.ino}`;
}

module.exports = { SourceFiles, stateOf };
