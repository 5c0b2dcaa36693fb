"use strict";

/** The tasks that stop when asked, as `src/runtime/interruption.ts` registers them: a set of { name, controller }. */
const COOPERATIVE_TASKS = Symbol.for("breakhis-lab.cooperative-tasks");

/**
 * Makes an interrupt stop cooperative tasks, so that the cell ends normally with what it has.
 *
 * tslab only gives up waiting: the work goes on in the background and the cell's names are lost. That stays the
 * answer when no task is registered, or when all were asked before and still run.
 */
function replaceInterruptHandler(session) {
  process.removeAllListeners("SIGINT");
  process.on("SIGINT", () => {
    const waiting = [...(globalThis[COOPERATIVE_TASKS] ?? [])].filter(
      (task) => !task.controller.signal.aborted,
    );
    if (waiting.length === 0) session.executor.interrupt();
    for (const task of waiting) task.controller.abort();
  });
}

module.exports = { replaceInterruptHandler };
