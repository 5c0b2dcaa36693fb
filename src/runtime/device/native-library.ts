import { closeSync, openSync } from "node:fs";
import { isatty } from "node:tty";

/**
 * Runs a function while what native code writes to the terminal as errors goes nowhere.
 *
 * TensorFlow 2.21 greets with two lines, whatever its log level is, where `TF_ENABLE_ONEDNN_OPTS` is set: they would
 * stand before the first result of every program. Nothing is done where standard error is no terminal of this user.
 */
function withoutGreeting(load: () => void): void {
  const terminal = isatty(2) ? reopen(2) : null;
  if (terminal === null) {
    load();
    return;
  }
  closeSync(2);
  // The lowest free descriptor is the one that was just closed.
  const nowhere = openSync("/dev/null", "w");
  try {
    load();
  } finally {
    closeSync(nowhere);
    reopen(terminal);
    closeSync(terminal);
  }
}

/** The lowest free descriptor, opened on what another one leads to; null if that is another user's. */
function reopen(descriptor: number): number | null {
  try {
    return openSync(`/proc/self/fd/${descriptor}`, "w");
  } catch {
    return null;
  }
}

// Whoever asks for TensorFlow next gets it as it was loaded here.
withoutGreeting(() => require("@tensorflow/tfjs-node-gpu"));
