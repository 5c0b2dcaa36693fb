import { isRefusal } from "./refusal";

/** What came out of a computation that data may refuse: its value, or the sentence that says why there is none. */
export type Attempt<T> = { ok: true; value: T } | { ok: false; reason: string };

/**
 * Tries a computation that small or unusual data may refuse, so that a notebook goes on with a sentence in its place.
 *
 * @throws Whatever is no `refusal`: mistakes in programs, and what the machine refuses, such as a stack that overflows.
 *
 * @example
 * await attempt(() => 6 * 7); // { ok: true, value: 42 }
 */
export async function attempt<T>(work: () => T | Promise<T>): Promise<Attempt<T>> {
  try {
    return { ok: true, value: await work() };
  } catch (error) {
    if (isRefusal(error)) return { ok: false, reason: error.message };
    throw error;
  }
}

/** The value of a computation, or another one where it was refused. */
export function valueOr<T, U>(result: Attempt<T>, otherwise: U): T | U {
  return result.ok === true ? result.value : otherwise;
}

/** Goes on with what a computation gave; where that was refused, so is this, for the same reason. */
export async function attemptAfter<T, U>(
  result: Attempt<T>,
  work: (value: T) => U | Promise<U>,
): Promise<Attempt<U>> {
  return result.ok === true ? attempt(() => work(result.value)) : result;
}
