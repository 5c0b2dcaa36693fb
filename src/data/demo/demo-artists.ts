import { type ChildProcess, spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { projectRoot } from "../../runtime/paths";
import { type DemoPlan, drawPart, stopped } from "./demo-drawing";

/** Pixels that take about as long to draw as a process takes to start, twice over. */
const pixelsWorthAProcess = 10 * 700 * 460;

/** How many processes are worth starting for a set on a machine with this many cores. */
export function countArtists(plan: DemoPlan, cores: number = availableParallelism()): number {
  const pixels = plan.patients * plan.imagesPerPatient * plan.width * plan.height;
  return Math.max(1, Math.min(cores, Math.floor(pixels / pixelsWorthAProcess)));
}

/** Resolves when a process has drawn its part; rejects with its reason otherwise. */
function finish(artist: ChildProcess, onDrawn: () => void): Promise<void> {
  let complaint = "";
  artist.stderr!.setEncoding("utf8").on("data", (text: string) => {
    complaint = (complaint + text).slice(-2000);
  });
  createInterface({ input: artist.stdout! }).on("line", onDrawn);
  return new Promise((resolve, reject) => {
    artist.once("error", reject);
    artist.once("close", (code) => {
      if (code === 0) resolve();
      else
        reject(new Error(complaint.trim().split("\n").pop() || `A process that draws ended with ${code}.`));
    });
  });
}

/**
 * Draws a set on several cores, each in a process of its own: the same files, byte for byte, as on one.
 *
 * @param folder - Holds a folder for each class.
 * @param onDrawn - Called for each image that is written.
 * @throws Error if it was stopped, or the reason why a process failed; no process is left behind.
 */
export async function drawTogether(
  folder: string,
  plan: DemoPlan,
  onDrawn: () => void,
  signal: AbortSignal,
  count: number = countArtists(plan),
): Promise<void> {
  if (count === 1) return drawPart(folder, plan, { part: 0, of: 1 }, onDrawn, signal);
  const loader = join(projectRoot(), "scripts", "load-typescript.js");
  const program = join(projectRoot(), "scripts", "draw-demo-part.ts");
  const artists = Array.from({ length: count }, (_, part) => {
    const task = JSON.stringify({ folder, plan, part, of: count });
    // A process whose parent is gone finds its input closed, and ends.
    return spawn(process.execPath, ["-r", loader, program, task], { stdio: ["pipe", "pipe", "pipe"] });
  });
  const stop = () => {
    for (const artist of artists) artist.stdin!.end();
  };
  signal.addEventListener("abort", stop);
  const parts = artists.map((artist) => finish(artist, onDrawn));
  try {
    await Promise.all(parts);
  } catch (error) {
    stop();
    await Promise.allSettled(parts);
    throw signal.aborted ? new Error(stopped) : error;
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
