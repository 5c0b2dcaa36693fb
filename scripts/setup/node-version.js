// @ts-check
"use strict";
// Every entry point loads this file first, on whatever Node there is, so its syntax stays old enough for Node 10.

/**
 * Tells what is wrong with a Node version, in one sentence.
 *
 * ES modules must be loadable by `require`: Node has that since 20.19 and, after a gap, since 22.12.
 *
 * @param {string} version - As in `process.version`, for example "v20.19.0".
 * @returns {string | null} null when the version will do.
 */
function nodeVersionProblem(version) {
  const parts = version.replace(/^v/, "").split(".").map(Number);
  const major = parts[0] || 0;
  const minor = parts[1] || 0;
  const good = (major === 20 && minor >= 19) || (major === 22 && minor >= 12) || major >= 23;
  if (good) return null;
  return (
    "breakhis-lab needs Node 22.12 or later (or 20.19 or later of 20), but this is Node " +
    version.replace(/^v/, "") +
    ": install a current one from https://nodejs.org (or with `nvm install 24`) and run the same command again."
  );
}

/** Ends the program with one sentence when this Node is too old for the rest of it. */
function refuseOldNode() {
  const problem = nodeVersionProblem(process.version);
  if (problem === null) return;
  console.error(problem);
  process.exit(1);
}

module.exports = { nodeVersionProblem, refuseOldNode };
