"use strict";

/**
 * tslab's TypeScript compiler, changed in five ways: it reads declarations in place of the project's files; it notices
 * edited files by looking, right before a cell is compiled; it remembers source maps, so that errors can name lines of
 * the cell; its messages come whole; and `{ name }` may name what an earlier cell declared.
 */

const fs = require("node:fs");
const { readDeclarations } = require("./declarations");
const { honourShorthand } = require("./shorthand");
const { stateOf } = require("./source-files");
const { findPosition } = require("./source-positions");

const INLINE_MAP = /\n?\/\/# sourceMappingURL=(?:data:application\/json;base64,)?(\S+)\s*$/;

function prepareCompiler(files) {
  const compilerPath = require.resolve("@tslab/typescript-for-tslab");
  const typescript = { ...require(compilerPath) };
  const watched = watchByLooking(typescript, files);
  const declarations = readDeclarations(typescript, files);
  const maps = rememberSourceMaps(typescript);
  joinMessageParts(typescript);
  honourShorthand(typescript);
  // The compiler's exports are read-only; tslab has to find the copy instead.
  require.cache[compilerPath].exports = typescript;
  return { ...watched, ...declarations, ...maps };
}

/**
 * Replaces file watching by comparing files with their last known state when asked.
 *
 * Watching tells of an edit some time later, too late for a cell that is run at once; it misses edits on network
 * drives and new files altogether, and it costs an inotify handle for every folder in node_modules.
 */
function watchByLooking(typescript, files) {
  const watchedFiles = new Map();
  const watchedFolders = new Map();

  typescript.sys.watchFile = (file, callback) => {
    if (file.includes("/node_modules/")) return { close() {} };
    watchedFiles.set(callback, { file, state: stateOfWatched(file) });
    return { close: () => watchedFiles.delete(callback) };
  };
  typescript.sys.watchDirectory = (folder, callback) => {
    if (folder.includes("/node_modules/")) return { close() {} };
    watchedFolders.set(callback, folder);
    return { close: () => watchedFolders.delete(callback) };
  };

  /** Declarations stay until their file is edited: then the compiler reads the file. */
  const stateOfWatched = (file) =>
    files.standsForFile(file) ? "declared" : stateOf(fs.statSync(file, { throwIfNoEntry: false }));

  /**
   * Tells the compiler of every file that was edited, removed or restored since the last call.
   *
   * @returns Whether there was one.
   */
  function refreshFiles() {
    const edited = files.refresh();
    for (const [callback, entry] of [...watchedFiles]) {
      const state = stateOfWatched(entry.file);
      if (state === entry.state) continue;
      const { Created, Changed, Deleted } = typescript.FileWatcherEventKind;
      const kind = state === null ? Deleted : entry.state === null ? Created : Changed;
      entry.state = state;
      callback(entry.file, kind);
    }
    return edited;
  }

  /** Makes the compiler look again for modules that it did not find. */
  function retryMissingModules() {
    for (const [callback, folder] of [...watchedFolders]) callback(folder);
  }

  return { refreshFiles, retryMissingModules };
}

/** Joins messages that come in parts; tslab would drop the file's name from each part. */
function joinMessageParts(typescript) {
  const { getPreEmitDiagnosticsOfFiles, flattenDiagnosticMessageText } = typescript;
  typescript.getPreEmitDiagnosticsOfFiles = (...args) =>
    getPreEmitDiagnosticsOfFiles(...args).map((diagnostic) => ({
      ...diagnostic,
      messageText: flattenDiagnosticMessageText(diagnostic.messageText, "\n"),
    }));
}

/**
 * Keeps the source maps of both steps in which tslab compiles: TypeScript to an ES module, then to CommonJS.
 */
function rememberSourceMaps(typescript) {
  const mapsByOutput = new Map();
  const { createWatchCompilerHost, transpileModule } = typescript;

  typescript.createWatchCompilerHost = (rootFiles, options, ...rest) => {
    const host = createWatchCompilerHost(rootFiles, { ...options, inlineSourceMap: true }, ...rest);
    const { setTimeout } = host;
    // tslab has room for one pending callback, the rebuild; a second one makes it throw. Looking again for missing
    // modules needs no delay.
    host.setTimeout = (callback, ...more) =>
      callback.name === "invalidateResolutionsOfFailedLookup"
        ? void callback()
        : setTimeout(callback, ...more);
    return host;
  };

  typescript.transpileModule = (moduleText, options) => {
    const compilerOptions = { ...options.compilerOptions, sourceMap: true };
    const result = transpileModule(moduleText.replace(INLINE_MAP, ""), { ...options, compilerOptions });
    result.outputText = result.outputText.replace(INLINE_MAP, "");
    mapsByOutput.set(result.outputText, {
      toModule: result.sourceMapText,
      toSource: Buffer.from(INLINE_MAP.exec(moduleText)?.[1] ?? "", "base64").toString(),
    });
    return result;
  };

  /**
   * Takes the maps of a compiled text out of the store.
   *
   * @returns A function from a position in the text to the one in its source, lines and columns from 1, or to null.
   */
  function takeSourceMap(outputText) {
    const maps = mapsByOutput.get(outputText);
    mapsByOutput.delete(outputText);
    if (!maps?.toSource) return () => null;
    return (line, column) => {
      const inModule = findPosition(maps.toModule, line, column);
      return inModule && findPosition(maps.toSource, inModule.line, inModule.column);
    };
  }

  return { takeSourceMap };
}

module.exports = { prepareCompiler };
