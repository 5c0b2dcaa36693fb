import { printable } from "../src/runtime/printable";

/** Prints a line for people or pipes, whatever names of files are in it; nothing else in the programs prints. */
export function say(text: string): void {
  process.stdout.write(`${printable(text)}\n`);
}

/** The same on stderr: what went wrong, and what is no result. */
export function complain(text: string): void {
  process.stderr.write(`${printable(text)}\n`);
}
