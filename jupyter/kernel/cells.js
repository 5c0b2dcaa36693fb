"use strict";

/**
 * How a cell is compiled and run: edited files are loaded again, errors and the last value are taken from tslab before
 * it prints them.
 */

const path = require("node:path");
const { EXPORT_ADVICE } = require("./advice");
const { withoutExport } = require("./cell-names");
const { withUnrunImports } = require("./completion");
const { displayOf } = require("./displays");
const { describeDiagnostics, describeError, failureOf } = require("./failures");
const { NeededCells } = require("./needed-cells");

/** The name that stack frames of a cell carry. */
const CELL_NAME = /^notebook-cell-(\d+)$/;

const FOR_AWAIT = /\bfor\s+await\b/;

/** Of so many cells, the last ones, source maps are kept; without a limit a kernel would grow with every cell. */
const MAPPED_CELLS = 100;

function prepareCells(compiler, files, session) {
  const sources = createSources(files);
  session.locate = sources.locate;
  session.neededCells = new NeededCells();

  const converterModule = require("tslab/dist/converter.js");
  const { createConverter } = converterModule;
  converterModule.createConverter = (options) =>
    reloadWholly(createConverter(options), compiler, sources, session);

  const executorModule = require("tslab/dist/executor.js");
  const { createExecutor } = executorModule;
  executorModule.createExecutor = (rootFolder, converters) => {
    session.executor = collectResults((console) => createExecutor(rootFolder, converters, console), session);
    return session.executor;
  };
}

/** Remembers where the compiled lines of cells come from. */
function createSources(files) {
  const mapsByCell = new Map();
  const mapsByFile = new Map();

  /** @returns Where a stack frame is in the sources ("src/data/split/split.ts:12:5", "cell [3], line 2", by the number beside it), or null. */
  function locate(file, line, column) {
    const cell = CELL_NAME.exec(file)?.[1];
    if (cell !== undefined) {
      // tslab puts "export {};" on a line of its own before the cell; the launcher a line break before the output.
      const { map, lineCount } = mapsByCell.get(Number(cell)) ?? { map: () => null, lineCount: 0 };
      // The call that tslab puts after the cell's text.
      if (line - 1 > lineCount) return null;
      const position = map(line - 1, column);
      return position ? `cell [${cell}], line ${position.line - 1}` : `cell [${cell}]`;
    }
    const name = path.relative(process.cwd(), file);
    if (files.mapOf(file) !== undefined) return `${name}:${line}:${column}`;
    const map = mapsByFile.get(file);
    if (map === undefined) return null;
    const position = map(line, column);
    return position ? `${name}:${position.line}:${position.column}` : name;
  }

  return { mapsByCell, mapsByFile, locate };
}

/**
 * Makes a converter return all `.js` files and `@module` cells whenever one that was loaded before has been compiled
 * again.
 *
 * tslab drops only the modules it gets here, so without this an edited one would be loaded again, while those that
 * import it went on with the old one, silently. (`.ts` files are Node's, see `source-files.js`.)
 */
function reloadWholly(converter, compiler, sources, session) {
  const outputs = new Map();
  let missingModules = false;

  function convert(previousDeclarations, code) {
    const edited = compiler.refreshFiles();
    if (edited || missingModules) compiler.retryMissingModules();
    compiler.beginCell(code);
    const result = converter.convert(previousDeclarations, code);
    missingModules = result.diagnostics.some((diagnostic) => diagnostic.code === 2307);
    if (result.diagnostics.length > 0) session.failure = explain(result.diagnostics, session.neededCells);

    const emitted = result.sideOutputs ?? [];
    const again = emitted.some((output) => outputs.has(output.path));
    for (const output of emitted) {
      outputs.set(output.path, output);
      sources.mapsByFile.set(output.path, compiler.takeSourceMap(output.data));
    }
    if (result.output) {
      const lineCount = result.output.split("\n").length;
      sources.mapsByCell.set(session.cellNumber, { map: compiler.takeSourceMap(result.output), lineCount });
      sources.mapsByCell.delete(session.cellNumber - MAPPED_CELLS);
      // In Node the plain package would compute in JavaScript, on tensors that the project's own can't use.
      const native = result.output.replaceAll(
        'require("@tensorflow/tfjs")',
        'require("@tensorflow/tfjs-node")',
      );
      // The name makes cells distinguishable in stack frames; without it all are "evalmachine.<anonymous>".
      result.output = `\n${native}\n//# sourceURL=notebook-cell-${session.cellNumber}`;
    }
    // tslab wraps a cell into an async function only for an `await` expression; the loop needs it, too.
    if (FOR_AWAIT.test(code)) result.hasToplevelAwait = true;
    return again ? { ...result, sideOutputs: [...outputs.values()] } : result;
  }

  return { ...converter, convert };
}

function explain(diagnostics, neededCells) {
  const sentence = neededCells.missingIn(diagnostics);
  return sentence === null ? describeDiagnostics(diagnostics) : failureOf("CellNeeded", sentence);
}

/**
 * Makes an executor that keeps a cell's error and its last value in the session.
 *
 * tslab hands both to the console it is given: errors to `error`, the last value to `log`.
 */
function collectResults(createExecutor, session) {
  let errors = [];
  const executor = createExecutor({
    log: (value) => {
      session.displayable = displayOf(value);
      if (session.displayable === null) console.log(value);
    },
    error: (...args) => errors.push(args),
  });

  /** @returns Why a cell is not even compiled, or null. */
  function refuse(cell) {
    if (cell === null) return failureOf("CompileError", EXPORT_ADVICE);
    const missing = session.neededCells.missingFor(cell);
    return missing === null ? null : failureOf("CellNeeded", missing);
  }

  async function execute(code) {
    errors = [];
    session.displayable = null;
    const cell = withoutExport(code);
    session.failure = refuse(cell);
    const ok = session.failure === null && (await executor.execute(cell));
    session.neededCells.note(code, ok, (name) => executor.locals[name] === undefined);
    if (ok) {
      // Diagnostics of `@module` cells, which tslab counts as executed.
      for (const args of errors) console.error(...args);
    } else {
      session.failure ??= describeError(errors[0]?.[0], session.locate);
    }
    return ok;
  }

  return { ...withUnrunImports(executor), execute };
}

module.exports = { prepareCells };
