import { requestStop } from "../src/runtime/interruption";
import { complain } from "./say";

/** What a shell shows for a program that was stopped with Ctrl-C. */
export const interruptedExitCode = 130;

/**
 * Lets Ctrl-C end a long step in its own way, which keeps what there is, and everything else at once.
 *
 * @param onStop - Called when a long step was asked to stop.
 */
export function stopOnInterrupt(onStop: () => void = () => undefined): void {
  process.on("SIGINT", () => {
    if (requestStop().length === 0) process.exit(interruptedExitCode);
    onStop();
  });
}

/** What a program's failure comes to: its reason, for people, on stderr, and exit code 1. */
export function endWithReason(error: unknown): void {
  complain(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
