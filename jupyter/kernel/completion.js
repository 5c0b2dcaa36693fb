"use strict";

/**
 * What Tab offers: names with what they are, and in a notebook whose imports were not run yet what it would offer
 * afterwards. Without them the settings in `resolveSettings({ ep` were browsers' classes, since nobody knew the function.
 */

const { codeCellsOf, importsOf, usedNames } = require("./cell-names");

function prepareCompletion() {
  const { JupyterHandlerImpl } = require("tslab/dist/jupyter.js");
  JupyterHandlerImpl.prototype.handleComplete = function ({ code, cursor_pos }) {
    const { start, end, candidates, original } = this.executor.complete(code, cursor_pos);
    const kinds = new Map((original?.entries ?? []).map(({ name, kind }) => [name, kind]));
    // Not in the protocol, but what JupyterLab and IPython have agreed on.
    const types = candidates.map((text) => ({ start, end, text, type: kinds.get(text) ?? "" }));
    return {
      status: "ok",
      matches: candidates,
      cursor_start: start,
      cursor_end: end,
      metadata: { _jupyter_types_experimental: types },
    };
  };
}

/**
 * Makes an executor answer about a cell as if the imports that it needs had been run.
 *
 * @param executor - tslab's.
 * @param {string | undefined} notebook - Path of the notebook that runs, if it is known.
 */
function withUnrunImports(executor, notebook = process.env["JPY_SESSION_NAME"]) {
  /** The import statements of the notebook's cells, on one line, that bring names without a value. */
  function importsFor(code) {
    const needed = [...usedNames(code)].filter((name) => executor.locals[name] === undefined);
    if (needed.length === 0) return "";
    const statements = codeCellsOf(notebook).flatMap(importsOf);
    const wanted = statements.filter(({ names }) => names.some((name) => needed.includes(name)));
    return wanted.map(({ text }) => `${text.replace(/\n/g, " ")} `).join("");
  }

  function complete(code, position) {
    const imports = importsFor(code);
    const found = executor.complete(imports + code, imports.length + position);
    return { ...found, start: found.start - imports.length, end: found.end - imports.length };
  }

  function inspect(code, position) {
    const imports = importsFor(code);
    return executor.inspect(imports + code, imports.length + position);
  }

  return { ...executor, complete, inspect };
}

module.exports = { prepareCompletion, withUnrunImports };
