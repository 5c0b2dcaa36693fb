// @ts-check
"use strict";
const fs = require("node:fs");
const path = require("node:path");
const { processStart, signalGroup } = require("./processes.js");
const { SetupFailure } = require("./failure.js");
const { readStamp, writeFileAtomically } = require("./stamps.js");

/**
 * @typedef {object} Claim
 * @property {(group: number) => void} working - Notes the process group now working under this claim.
 * @property {() => void} release
 */

/** @param {Record<string, unknown>} holder */
const isAlive = (holder) =>
  typeof holder["pid"] === "number" && processStart(holder["pid"]) === holder["start"];

/**
 * Ends what a killed set-up left running, so that two installers never write into one folder.
 *
 * @param {Record<string, unknown>} holder
 */
function endOrphans(holder) {
  const group = holder["group"];
  if (typeof group !== "number") return;
  const leaderStart = processStart(group);
  // With its leader gone the group's number stays taken while it has members, so it can't be somebody else's.
  if (leaderStart === null || leaderStart === holder["groupStart"]) signalGroup(group, "SIGKILL");
}

/**
 * Claims the set-up of one project for this process; a claim whose process is gone, killed or not, is taken over.
 *
 * @param {string} file - The file that holds the claim.
 * @returns {Claim}
 * @throws {SetupFailure} if another set-up is running.
 */
function claimSetup(file) {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  const own = { pid: process.pid, start: processStart(process.pid), since: new Date().toISOString() };
  const draft = `${file}.${process.pid}`;
  fs.writeFileSync(draft, JSON.stringify(own));
  try {
    // A hard link appears whole or not at all, and never over another one.
    for (let attempt = 0; ; attempt++) {
      try {
        fs.linkSync(draft, file);
        break;
      } catch (error) {
        if (/** @type {NodeJS.ErrnoException} */ (error).code !== "EEXIST" || attempt > 20) throw error;
      }
      takeAwayStale(file);
    }
  } finally {
    fs.rmSync(draft, { force: true });
  }
  return {
    working: (group) =>
      writeFileAtomically(file, JSON.stringify({ ...own, group, groupStart: processStart(group) })),
    release: () => fs.rmSync(file, { force: true }),
  };
}

/**
 * Removes a claim whose process is gone.
 *
 * @param {string} file
 * @throws {SetupFailure} if its process is there.
 */
function takeAwayStale(file) {
  const holder = readStamp(file);
  if (holder === null && !fs.existsSync(file)) return;
  if (holder !== null && isAlive(holder)) {
    throw new SetupFailure(
      `Another set-up of this folder is running (process ${holder["pid"]}, since ${holder["since"]}): wait for it to end, then run the same command again.`,
    );
  }
  const aside = `${file}.stale.${process.pid}`;
  try {
    fs.renameSync(file, aside);
  } catch {
    return; // Somebody else was faster.
  }
  const taken = readStamp(aside);
  if (taken !== null && isAlive(taken)) {
    // Between looking and renaming another set-up began: it gets its claim back.
    fs.renameSync(aside, file);
    return;
  }
  if (holder !== null) endOrphans(holder);
  fs.rmSync(aside, { force: true });
}

module.exports = { claimSetup };
