import { cpus } from "node:os";
import { setTimeout } from "node:timers/promises";

const sampleMs = 250;
/** Share of the processor's time that background services may take. */
const harmlessShare = 0.1;
const mostSamples = 240;

/** Milliseconds that all cores together have been busy, and that have passed for them. */
function coreTimes(): { busy: number; all: number } {
  let [busy, all] = [0, 0];
  for (const { times } of cpus()) {
    const passed = times.user + times.nice + times.sys + times.irq;
    busy += passed;
    all += passed + times.idle;
  }
  return { busy, all };
}

/** Waits until nothing else keeps the processor busy, at most a minute: what begins then is rarely disturbed. */
export async function waitForIdleMachine(): Promise<void> {
  for (let sample = 0; sample < mostSamples; sample++) {
    const before = coreTimes();
    await setTimeout(sampleMs);
    const after = coreTimes();
    if (after.busy - before.busy <= harmlessShare * (after.all - before.all)) return;
  }
}
