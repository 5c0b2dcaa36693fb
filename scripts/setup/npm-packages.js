// @ts-check
"use strict";
const fs = require("node:fs");
const path = require("node:path");
const { readStamp } = require("./stamps.js");
const { SetupFailure } = require("./failure.js");

/** @typedef {import("./set-up.js").Context} Context */
/** @typedef {{ version?: string, integrity?: string, optional?: boolean, link?: boolean, os?: string[], cpu?: string[], libc?: string[] }} LockedPackage */

/**
 * Tells whether an optional package is the one made for this machine, such as sharp's native library; the lock holds
 * those for other machines too.
 *
 * @param {LockedPackage} entry
 */
const isForThisMachine = ({ os, cpu, libc = ["glibc"] }) =>
  os?.includes("linux") && cpu?.includes("x64") && libc.includes("glibc");

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
 * Installs the locked packages, without their install scripts.
 *
 * @param {Context} context
 */
async function installPackages(context) {
  const npm = context.machine.npm();
  // Development packages belong to `npm test`, also where NODE_ENV or npm's configuration would leave them out.
  const args = ["ci", "--ignore-scripts", "--include=dev", "--include=optional", "--loglevel=http"];
  await context.run([...npm, ...args], "npm", "Installing the npm packages");
  const problem = packagesProblem(context.root);
  if (problem !== null) {
    throw new SetupFailure(`npm ended without an error, but ${problem}: run the same command again.`);
  }
}

module.exports = { packagesProblem, installPackages };
