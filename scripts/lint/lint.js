// @ts-check
"use strict";
/**
 * Lint and format of the project in the working directory, by Biome.
 *
 * A rule of our own that fails while it runs finds nothing from then on, and Biome passes, with a note: here that is a
 * failure, too.
 */

const fs = require("node:fs");
const path = require("node:path");
const { runMain } = require("../setup/failure.js");
const { runShown } = require("../setup/processes.js");

const biome = require.resolve("@biomejs/biome/bin/biome");

/**
 * @param {string} account - What Biome wrote, as SARIF.
 * @returns {string[]} What rules of our own failed with.
 */
function brokenRules(account) {
  const [run] = JSON.parse(account).runs;
  return run.results
    .filter((/** @type {any} */ { ruleId, level }) => ruleId === "plugin" && level === "note")
    .map((/** @type {any} */ { message }) => message.text);
}

async function main() {
  const folder = path.resolve(".cache", "test");
  const account = path.join(folder, "lint.sarif");
  fs.mkdirSync(folder, { recursive: true });
  fs.rmSync(account, { force: true });
  const reporters = ["--reporter=default", "--reporter=sarif", `--reporter-file=${account}`];
  const asked = [biome, "ci", ...reporters, ...process.argv.slice(2)];
  const code = await runShown(process.execPath, asked, { cwd: process.cwd() });
  const broken = fs.existsSync(account) ? brokenRules(fs.readFileSync(account, "utf8")) : [];
  if (broken.length > 0) console.error(`A rule in scripts/lint fails while it runs:\n${broken[0]}`);
  return broken.length > 0 ? 1 : code;
}

runMain(main);
