"use strict";

const POLL_MS = 1000;

/**
 * Ends the kernel when the program that started it is gone, killed for instance, so that no orphan holds memory.
 *
 * Jupyter names that program in JPY_PARENT_PID, as for Python's own kernel; kernels meant to outlive it have none.
 */
function endWithParent() {
  const parent = Number(process.env["JPY_PARENT_PID"]);
  if (process.ppid !== parent) return;
  setInterval(() => {
    if (process.ppid !== parent) process.exit(1);
  }, POLL_MS).unref();
}

module.exports = { endWithParent };
