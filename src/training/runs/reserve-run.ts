import { mkdirSync } from "node:fs";
import { join } from "node:path";

/** The local time to the second, readable and sortable, for example "2026-03-14T15-09-26". */
function timeId(now: Date): string {
  const local = new Date(now.getTime() - now.getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 19).replaceAll(":", "-");
}

/**
 * Reserves a run's id by making its folder, which only one program can: the local time, with a number behind it where that
 * is taken.
 *
 * @param runs - The folder of all runs; made if it is not there.
 */
export function reserveRun(runs: string, now: Date): string {
  mkdirSync(runs, { recursive: true });
  const time = timeId(now);
  for (let number = 1; ; number++) {
    const id = number === 1 ? time : `${time}-${number}`;
    try {
      mkdirSync(join(runs, id));
      return id;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
  }
}
