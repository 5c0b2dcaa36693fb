"use strict";

const POLL_MS = 1000;

/** @param {number} processId */
function isRunning(processId) {
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

/**
 * Ends the kernel when the program that started it is gone, killed for instance, so that no orphan holds memory.
 *
 * Jupyter names that program in JPY_PARENT_PID, as for Python's own kernel; kernels meant to outlive it have none.
 */
function endWithParent() {
  const parent = Number(process.env["JPY_PARENT_PID"]);
  if (!(parent > 0)) return;
  // Started through a wrapper, the kernel is somebody else's child while its program lives.
  const endIfAlone = () => {
    if (process.ppid !== parent && !isRunning(parent)) process.exit(1);
  };
  // The program may have been killed while Node started.
  endIfAlone();
  setInterval(endIfAlone, POLL_MS).unref();
}

module.exports = { endWithParent };
