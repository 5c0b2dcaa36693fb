// @ts-check
"use strict";
// Checks src/ as notebooks will: with the compiler inside tslab, an older one than the project's, and not strict; and
// that each file alone says the types of what it exports, because the kernel checks cells against those declarations.
// tslab's options are taken from it as it passes them on, so they can't drift from what the kernel does.
const fs = require("node:fs");
const path = require("node:path");
const ts = require("@tslab/typescript-for-tslab");
const { declareAlone } = require("../jupyter/kernel/source-compiler.js");

const root = path.resolve(__dirname, "..");

/**
 * Lets tslab prepare its compiler, with a stand-in where it would start it, which notes the options.
 *
 * @returns {any}
 */
function optionsOfTslab() {
  /** @type {unknown} */
  let options = null;
  const enough = new Error("The options are known.");
  const standIn = {
    ...ts,
    createWatchCompilerHost: (/** @type {unknown} */ _files, /** @type {unknown} */ given) => {
      options = given;
      throw enough;
    },
  };
  // The compiler's exports are read-only; tslab has to find the stand-in instead.
  const compiler = require.cache[require.resolve("@tslab/typescript-for-tslab")];
  if (compiler !== undefined) compiler.exports = standIn;
  try {
    require("tslab/dist/converter.js").createConverter();
  } catch (error) {
    if (error !== enough) throw error;
  }
  if (options === null)
    throw new Error("tslab passes its options on in another way; see tslab/dist/converter.js.");
  return options;
}

/** Whose types are made of values, as a schema's are: the kernel's compiler reads these files themselves. */
const READ_WHOLE = ["src/runtime/settings.ts"].map((name) => path.join(root, name));

/**
 * @param {string} file
 * @returns {any[]} Of the project's compiler, which describes them as tslab's does.
 */
const problemsOfDeclaration = (file) =>
  READ_WHOLE.includes(file) ? [] : declareAlone(file, fs.readFileSync(file, "utf8")).diagnostics;

function main() {
  process.chdir(root);
  const files = fs
    .readdirSync(path.join(root, "src"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => path.join(root, "src", name));
  if (files.length === 0) throw new Error("No TypeScript file was found in src/.");
  const program = ts.createProgram(files, { ...optionsOfTslab(), noEmit: true, ignoreDeprecations: "5.0" });
  const problems = [...ts.getPreEmitDiagnostics(program), ...files.flatMap(problemsOfDeclaration)];
  const host = {
    getCurrentDirectory: () => root,
    getNewLine: () => "\n",
    getCanonicalFileName: (/** @type {string} */ name) => name,
  };
  if (problems.length > 0) console.error(ts.formatDiagnostics(problems, host));
  console.log(
    `${files.length} files under TypeScript ${ts.version} with tslab's options: ${problems.length} problems.`,
  );
  process.exitCode = problems.length > 0 ? 1 : 0;
}

main();
