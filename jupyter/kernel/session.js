"use strict";

/**
 * What the parts of the launcher share: the cell that runs now (or ran last), and how it ended.
 *
 * @typedef {object} Failure
 * @property {string} ename - The error's name.
 * @property {string} evalue - The sentence that helps.
 * @property {string[]} traceback - `ename: evalue`, then a few lines that say where.
 */
function createSession() {
  return {
    /** tslab's executor, once it is made. */
    executor: null,
    /** The running cell's number, or the last one's. */
    cellNumber: 0,
    /** True while a cell runs. */
    running: false,
    /** Sends a message of a type on iopub, as an answer to the last cell that started. */
    publish: null,
    /** The last value of the cell, if it knows how to display itself. */
    displayable: null,
    /** @type {Failure | null} Why the cell failed. */
    failure: null,
    /** @type {Failure | null} The first error that happened during the cell but outside its own flow. */
    strayFailure: null,
    /** Knows which cells make the names that are missing, once cells can run. */
    neededCells: null,
    /** Replaced when the compiler is ready: the lines of source that a stack frame stands for. */
    locate: () => null,
  };
}

module.exports = { createSession };
