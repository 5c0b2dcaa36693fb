"use strict";

/**
 * The notebooks' kernel: tslab, started so that notebooks, `src/` and long computations work together.
 *
 * Jupyter runs `node jupyter/kernel.js kernel --config-path=<connection file>` in the notebook's folder.
 * tslab offers no extension points, so the files in `kernel/` lean on its internals; each says what it changes
 * and why, and the tests in `test/jupyter` check every behaviour through the Jupyter protocol.
 */

const path = require("node:path");

/** The one release whose internals the files in `kernel/` were written against. */
const TSLAB_VERSION = "1.0.22";

function main() {
  requireTslabVersion();
  const connectionFile = connectionFileFrom(process.argv.slice(2));
  // Before anything that takes time: whoever started the kernel may be killed meanwhile.
  require("./kernel/lifetime").endWithParent();

  restoreRemovedNodeFunctions();
  // Deprecation warnings of dependencies would appear on stderr under the reader's cells.
  process.noDeprecation = true;

  const { findProjectRoot } = require("./kernel/project-root");
  // tslab allows imports only below its working directory, and Jupyter starts it in the notebook's folder.
  process.chdir(findProjectRoot(process.cwd(), path.dirname(__dirname)));

  const { SourceFiles } = require("./kernel/source-files");
  const files = new SourceFiles(process.cwd());
  files.registerLoader();
  require("./kernel/source-positions").nameSourceLines(files);

  // Before anything of tslab is loaded, because it keeps references to the compiler.
  const compiler = require("./kernel/compiler").prepareCompiler(files);
  const session = require("./kernel/session").createSession();
  require("./kernel/cells").prepareCells(compiler, files, session);
  require("./kernel/protocol").prepareProtocol(session);
  require("./kernel/inspection").prepareInspection();
  require("./kernel/completion").prepareCompletion();

  const { startKernel } = require("tslab/dist/main.js");
  startKernel({ configPath: connectionFile, enableFindLocal: false, jsKernel: false });

  // After startKernel, because they replace the process-wide handlers that it installs.
  require("./kernel/interruption").replaceInterruptHandler(session);
  require("./kernel/stray-errors").replaceStrayErrorHandlers(session);
}

/** Stops with one sentence when another tslab is installed: its internals may differ silently. */
function requireTslabVersion() {
  const { version } = require("tslab/package.json");
  if (version !== TSLAB_VERSION) {
    fail(
      `The kernel is written for tslab ${TSLAB_VERSION}, but ${version} is installed in ` +
        `${path.dirname(require.resolve("tslab/package.json"))}. Run "npm ci" to get the locked version.`,
    );
  }
}

/** Reads the path of Jupyter's connection file from `kernel --config-path=PATH`. */
function connectionFileFrom(args) {
  const option = "--config-path=";
  const value = args.find((arg) => arg.startsWith(option))?.slice(option.length);
  if (args[0] !== "kernel" || !value) {
    fail('Expected "kernel --config-path=<connection file>"; Jupyter starts this program by itself.');
  }
  return path.resolve(value);
}

/** Node 23 removed these two functions from `util`; tfjs-node 4.22.0 still calls them. */
function restoreRemovedNodeFunctions() {
  const util = require("node:util");
  util.isNullOrUndefined ??= (value) => value === null || value === undefined;
  util.isArray ??= Array.isArray;
}

function fail(sentence) {
  process.stderr.write(`${sentence}\n`);
  process.exit(1);
}

main();
