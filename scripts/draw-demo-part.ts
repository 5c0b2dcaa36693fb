// Draws one process' part of a synthetic set; src/data/demo/demo-artists.ts starts it, and gives the task as JSON.
import { type DemoPlan, drawPart } from "../src/data/demo/demo-drawing";
import { endWithReason } from "./ending";

interface Task {
  folder: string;
  plan: DemoPlan;
  part: number;
  of: number;
}

async function main(): Promise<void> {
  const { folder, plan, part, of } = JSON.parse(process.argv[2] ?? "") as Task;
  const stop = new AbortController();
  // Closed by whoever started it, to have it stop, or because that one is gone.
  process.stdin.on("close", () => stop.abort()).resume();
  // Ctrl-C reaches the whole group; whoever started this one decides.
  process.on("SIGINT", () => undefined);
  await drawPart(folder, plan, { part, of }, () => void process.stdout.write("drawn\n"), stop.signal);
  process.stdin.destroy();
}

main().catch((error) => {
  endWithReason(error);
  process.stdin.destroy();
});
