const mark = Symbol.for("breakhis-lab.refusal");

function marked<T extends Error>(error: T): T {
  return Object.defineProperty(error, mark, { value: true });
}

/**
 * An error that data or settings are the reason of, with a sentence for whoever chose them: `attempt` shows it in a
 * result's place. What the machine refuses (a stack that overflows, a disk that is full) carries no such mark, though it
 * may be of the same class.
 */
export function refusal(message: string, options?: ErrorOptions): Error {
  return marked(new Error(message, options));
}

/** The same for a value out of its range. */
export function rangeRefusal(message: string, options?: ErrorOptions): RangeError {
  return marked(new RangeError(message, options));
}

/** Whether an error is a refusal; true across reloads of the code. */
export function isRefusal(error: unknown): error is Error {
  return error instanceof Error && mark in error;
}
