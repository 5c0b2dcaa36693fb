// @ts-check
"use strict";
const fs = require("node:fs");
const path = require("node:path");
const { createHash } = require("node:crypto");

/**
 * Hashes files and folders by name and content; a change of any is a change of the hash.
 *
 * @param {string[]} paths - Files, or folders taken whole; one that doesn't exist counts as such.
 * @returns {string} SHA-256, hexadecimal.
 */
function hashFiles(paths) {
  const hash = createHash("sha256");
  /** @param {string} file @param {string} label */
  const add = (file, label) => {
    const stat = fs.statSync(file, { throwIfNoEntry: false });
    if (stat === undefined) hash.update(`absent ${label}\n`);
    else if (stat.isDirectory()) {
      for (const name of fs.readdirSync(file).sort()) add(path.join(file, name), `${label}/${name}`);
    } else {
      const digest = createHash("sha256").update(fs.readFileSync(file)).digest("hex");
      hash.update(`${digest} ${label}\n`);
    }
  };
  for (const file of paths) add(file, path.basename(file));
  return hash.digest("hex");
}

/**
 * Writes a file whole or not at all.
 *
 * @param {string} file
 * @param {string} content
 */
function writeFileAtomically(file, content) {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  const temporary = `${file}.${process.pid}.tmp`;
  fs.writeFileSync(temporary, content);
  fs.renameSync(temporary, file);
}

/**
 * Reads a stamp: what a step was done with, written when it was whole.
 *
 * @param {string} file
 * @returns {Record<string, unknown> | null} null when there is none, or none that can be read.
 */
function readStamp(file) {
  try {
    const stamp = JSON.parse(fs.readFileSync(file, "utf8"));
    return typeof stamp === "object" && stamp !== null ? stamp : null;
  } catch {
    return null;
  }
}

/**
 * @param {string} file
 * @param {Record<string, unknown>} inputs
 */
function writeStamp(file, inputs) {
  writeFileAtomically(file, `${JSON.stringify(inputs, null, 2)}\n`);
}

/**
 * Tells whether a stamp says that a step was done with exactly these inputs.
 *
 * @param {string} file
 * @param {Record<string, unknown>} inputs
 * @returns {boolean}
 */
function stampMatches(file, inputs) {
  const stamp = readStamp(file);
  if (stamp === null) return false;
  const names = new Set([...Object.keys(stamp), ...Object.keys(inputs)]);
  return [...names].every((name) => JSON.stringify(stamp[name]) === JSON.stringify(inputs[name]));
}

module.exports = { hashFiles, writeFileAtomically, readStamp, writeStamp, stampMatches };
