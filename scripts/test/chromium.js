// @ts-check
"use strict";
const fs = require("node:fs");
const path = require("node:path");
const { SetupFailure } = require("../setup/failure.js");
const { childEnvironment, runShown } = require("../setup/processes.js");
const { remedyFor } = require("../setup/remedies.js");

const NAMES = ["google-chrome", "google-chrome-stable", "chromium", "chromium-browser"];

/** @param {string} name */
function findProgram(name) {
  const folders = (process.env["PATH"] ?? "").split(path.delimiter).filter((folder) => folder !== "");
  return folders.map((folder) => path.join(folder, name)).find(isExecutable) ?? null;
}

/** @param {string} file */
function isExecutable(file) {
  try {
    fs.accessSync(file, fs.constants.X_OK);
    return fs.statSync(file).isFile();
  } catch {
    return false;
  }
}

/** Where Chrome or Chromium is: `CHROME_PATH`, else the PATH; null when there is none. */
function findChromium() {
  const given = process.env["CHROME_PATH"];
  if (given) {
    if (isExecutable(given)) return given;
    throw new SetupFailure(`CHROME_PATH is ${given}, where no program is: correct or unset it.`);
  }
  for (const name of NAMES) {
    const found = findProgram(name);
    if (found !== null) return found;
  }
  return null;
}

/** Installs Debian's Chromium where that needs nobody's leave. */
async function installChromium() {
  const apt = findProgram("apt-get");
  if (apt === null || process.getuid?.() !== 0) return;
  console.log("No Chrome or Chromium was found; installing Debian's.");
  const env = childEnvironment({ DEBIAN_FRONTEND: "noninteractive" });
  for (const args of [
    ["update", "-q"],
    ["install", "-q", "-y", "--no-install-recommends", "chromium"],
  ]) {
    if ((await runShown(apt, args, { cwd: "/", env })) !== 0) return;
  }
}

/**
 * Makes sure that the browser tests have a browser.
 *
 * @returns {Promise<Record<string, string>>} The environment variable that tells them where it is.
 * @throws {SetupFailure} if there is none, and none could be installed.
 */
async function provideChromium() {
  if (findChromium() === null) await installChromium();
  const found = findChromium();
  if (found === null) {
    const command = remedyFor("chromium");
    const how = `install one${command === null ? "" : ` (${command})`}`;
    throw new SetupFailure(
      `The browser tests need Chrome or Chromium: ${how} or name its program in CHROME_PATH, and run the same command again.`,
    );
  }
  return { CHROME_PATH: found };
}

module.exports = { findChromium, provideChromium };
