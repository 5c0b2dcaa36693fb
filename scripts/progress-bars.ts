import { SingleBar } from "cli-progress";
import { onProgress } from "../src/runtime/progress";

/**
 * Shows a bar for each step, on stderr; in a log file or a pipe, none.
 *
 * @param options.except - Tasks that are parts of another step, which has a bar already.
 */
export function showProgressBars(options: { except?: readonly string[] } = {}): void {
  const { except = [] } = options;
  const bars = new Map<string, SingleBar>();
  onProgress(({ task, unit, done, total, startedAtMs, finished }) => {
    if (except.includes(task)) return;
    const key = `${startedAtMs} ${task}`;
    let bar = bars.get(key);
    if (bar === undefined) {
      bar = new SingleBar({
        format: `${task} {bar} {value} of {total} ${unit}, {eta_formatted} left`,
        stream: process.stderr,
        clearOnComplete: false,
      });
      bars.set(key, bar);
      bar.start(total, done);
    }
    bar.update(done);
    if (finished) bar.stop();
  });
}
