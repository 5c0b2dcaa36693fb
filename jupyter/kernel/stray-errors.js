"use strict";

const fs = require("node:fs");
const { inspect } = require("node:util");
const { describeStrayError } = require("./failures");

/**
 * Shows errors that no cell waits for: rejections that nobody awaits, and what timers and events throw.
 *
 * They appear as an error of the cell that runs or ran last. If it still runs, it fails, as a program would; tslab
 * prints a text and reports success. The kernel lives on.
 */
function replaceStrayErrorHandlers(session) {
  process.removeAllListeners("unhandledRejection");
  process.removeAllListeners("uncaughtException");
  process.on("unhandledRejection", (reason) => {
    report(session, "UnhandledRejection", "A promise that nobody awaits was rejected.", reason);
  });
  process.on("uncaughtException", (error) => {
    report(
      session,
      "UncaughtException",
      "An error was thrown outside any cell, in a timer or an event.",
      error,
    );
  });
}

function report(session, ename, sentence, thrown) {
  if (session.publish === null) {
    // No cell has run yet or the sockets are closed. tslab's status messages then find the sockets busy or closed;
    // nobody waits for them. Anything else goes to standard error, where Jupyter's log is.
    if (thrown?.code === "EBUSY" || thrown?.code === "EBADF") return;
    fs.writeSync(2, `${ename}: ${sentence} ${inspect(thrown)}\n`);
    return;
  }
  const failure = describeStrayError(ename, sentence, thrown, session.locate);
  if (session.running) session.strayFailure ??= failure;
  session.publish("error", failure);
}

module.exports = { replaceStrayErrorHandlers };
