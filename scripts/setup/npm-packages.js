// @ts-check
"use strict";
const fs = require("node:fs");
const path = require("node:path");
const { readStamp } = require("./stamps.js");
const { SetupFailure } = require("./failure.js");
const { ask } = require("./processes.js");

/** @typedef {import("./set-up.js").Context} Context */
/** @typedef {{ version?: string, integrity?: string, optional?: boolean, link?: boolean, os?: string[], cpu?: string[], libc?: string[] }} LockedPackage */

/**
 * Tells whether an optional package is the one made for this machine, such as sharp's native library; the lock holds
 * those for other machines too.
 *
 * @param {LockedPackage} entry
 */
const isForThisMachine = ({ os, cpu, libc = ["glibc"] }) =>
  os?.includes("linux") && cpu?.includes(process.arch) && libc.includes("glibc");

/**
 * Compares node_modules with package-lock.json: npm's own record, written when an installation is whole, and
 * whether each package's folder is still there.
 *
 * @param {string} root
 * @returns {string | null} What differs first; null when nothing does.
 */
function packagesProblem(root) {
  const lock = /** @type {Record<string, LockedPackage>} */ (
    readStamp(path.join(root, "package-lock.json"))?.["packages"] ?? {}
  );
  const record = readStamp(path.join(root, "node_modules", ".package-lock.json"))?.["packages"];
  if (Object.keys(lock).length === 0) return "package-lock.json can't be read";
  if (typeof record !== "object" || record === null) return "node_modules is not there, or not whole";
  const installed = /** @type {Record<string, LockedPackage>} */ (record);
  for (const [folder, entry] of Object.entries(lock)) {
    if (!folder.startsWith("node_modules/") || (entry.optional && !isForThisMachine(entry))) continue;
    const found = installed[folder];
    if (found === undefined) return `${folder} is not installed`;
    if (found.version !== entry.version || found.integrity !== entry.integrity)
      return `${folder} is another version`;
    if (!fs.existsSync(path.join(root, folder, "package.json"))) return `${folder} is missing`;
  }
  return null;
}

/**
 * Tells whether an npm ends where `overrides` are about packages that are named by a file or an address, as two of this
 * project's are: Debian 13 and Ubuntu 24.04 have 9.2, and 9.5.1 is the oldest that was seen to work.
 *
 * @param {string} version - As `npm --version` says it.
 */
function isTooOld(version) {
  const [major = 0, minor = 0] = version.trim().split(".").map(Number);
  return major < 9 || (major === 9 && minor < 5);
}

/**
 * Gives an npm that can install this project: the one found, or a newer, locked one that it installs beside.
 *
 * @param {Context} context
 * @returns {Promise<string[]>}
 */
async function provideNpm({ machine, root, run }) {
  const [program = "", ...args] = machine.npm();
  if (!isTooOld(ask(program, [...args, "--version"]).stdout)) return [program, ...args];
  const folder = path.join(root, ".cache", "npm");
  fs.cpSync(path.join(__dirname, "npm"), folder, { recursive: true });
  const install = ["ci", "--prefix", folder, "--ignore-scripts", "--loglevel=http"];
  await run([program, ...args, ...install], "npm", "Installing a newer npm beside");
  return [process.execPath, path.join(folder, "node_modules", "npm", "bin", "npm-cli.js")];
}

/**
 * Installs the locked packages, without their install scripts.
 *
 * @param {Context} context
 */
async function installPackages(context) {
  const npm = await provideNpm(context);
  // Development packages belong to `npm test`, also where NODE_ENV or npm's configuration would leave them out.
  const args = ["ci", "--ignore-scripts", "--include=dev", "--include=optional", "--loglevel=http"];
  await context.run([...npm, ...args], "npm", "Installing the npm packages");
  const problem = packagesProblem(context.root);
  if (problem !== null) {
    throw new SetupFailure(`npm ended without an error, but ${problem}: run the same command again.`);
  }
}

module.exports = { packagesProblem, installPackages, isTooOld };
