import { setTimeout as delay } from "node:timers/promises";

/** Waits for as long as it takes: the test's own limit is the only one, so that a slow machine is given time. */
export async function waitUntil(condition: () => boolean): Promise<void> {
  while (!condition()) await delay(10);
}
