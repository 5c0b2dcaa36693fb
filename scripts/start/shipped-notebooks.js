// @ts-check
"use strict";
const { execFileSync } = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");
const { SetupFailure } = require("../setup/failure.js");

/**
 * @typedef {object} Cell
 * @property {string} cell_type
 * @property {string | string[]} source
 * @property {string} [id]
 */

/**
 * A notebook as it is shipped: in the commit that is checked out.
 *
 * @param {string} root
 * @param {string} notebook - Its path.
 * @returns {string | null} Null where there is no git, or no repository that has it.
 */
function shippedText(root, notebook) {
  const name = path.relative(root, notebook).split(path.sep).join("/");
  try {
    return execFileSync("git", ["show", `HEAD:./${name}`], {
      cwd: root,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
      maxBuffer: 2 ** 28,
    });
  } catch {
    return null;
  }
}

/**
 * The lines of a notebook's settings cell, without their reasons, by the first name in each.
 *
 * @param {string} json
 * @returns {Map<string, string>}
 */
function settingLines(json) {
  const { cells } = /** @type {{ cells: Cell[] }} */ (JSON.parse(json));
  const cell = cells.find(({ id, cell_type }) => cell_type === "code" && id === "settings");
  const text = cell === undefined ? "" : [cell.source].flat().join("");
  const lines = text.split("\n").map((line) => line.replace(/\s*\/\/.*$/, "").trim());
  return new Map(
    lines.flatMap((line) => {
      const name = /^(?:const\s+)?([A-Za-z]\w*)\s*[:=]/.exec(line)?.[1];
      return name === undefined ? [] : [[name, line.replace(/[,;]$/, "")]];
    }),
  );
}

/**
 * What the saved settings cells of notebooks say otherwise than the shipped ones; empty where nothing, or where that is
 * not known.
 *
 * @param {string} root
 * @param {string[]} notebooks - Paths.
 * @returns {string}
 */
function describeSavedSettings(root, notebooks) {
  const differences = notebooks.flatMap((notebook) => {
    const shipped = shippedText(root, notebook);
    if (shipped === null) return [];
    const before = settingLines(shipped);
    const lines = [...settingLines(fs.readFileSync(notebook, "utf8"))].flatMap(([name, line]) =>
      line === before.get(name) ? [] : [`    ${line}   (shipped: ${before.get(name) ?? "not there"})`],
    );
    return lines.length === 0 ? [] : [`  ${path.basename(notebook)}`, ...lines];
  });
  if (differences.length === 0) return "";
  return [
    "The notebooks were saved with other settings than they are shipped with, and those are used:",
    ...differences,
    "npm start -- --as-shipped runs them as they are shipped; git checkout notebooks brings those back for good.",
  ].join("\n");
}

/**
 * @param {string} root
 * @param {string} run
 */
const shippedFolder = (root, run) => path.join(root, ".cache", "as-shipped", run);

/**
 * Writes the notebooks as they are shipped, for one run.
 *
 * @param {string} root
 * @param {string[]} notebooks - Paths of the saved ones.
 * @param {string} run - Its name.
 * @returns {string[]} Their paths; within the project, where a kernel finds it.
 * @throws {SetupFailure} where it is not known how they are shipped.
 */
function shippedNotebooks(root, notebooks, run) {
  const folder = shippedFolder(root, run);
  return notebooks.map((notebook) => {
    const text = shippedText(root, notebook);
    if (text === null) {
      throw new SetupFailure(
        `--as-shipped takes the notebooks from git, and ${path.basename(notebook)} is not to be had from it: clone the project with git.`,
      );
    }
    fs.mkdirSync(folder, { recursive: true });
    const copy = path.join(folder, path.basename(notebook));
    fs.writeFileSync(copy, text);
    return copy;
  });
}

/**
 * Removes what `shippedNotebooks` wrote.
 *
 * @param {string} root
 * @param {string} run
 */
function forgetShipped(root, run) {
  fs.rmSync(shippedFolder(root, run), { recursive: true, force: true });
}

module.exports = { describeSavedSettings, forgetShipped, settingLines, shippedNotebooks };
