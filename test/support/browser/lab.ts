import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { join } from "node:path";
import { projectRoot } from "../../../src/runtime/paths";

/** JupyterLab as `npm run lab` starts it. */
export interface Lab {
  /** `http://127.0.0.1:<port>/`. */
  url: string;
  port: number;
  token: string;
  /** What the program has printed so far. */
  output(): string;
  /** Does what Ctrl-C does, and waits for the end. */
  stop(): Promise<number | null>;
}

/**
 * Starts `scripts/lab.mjs` on a free port, without opening a browser.
 *
 * @param environment - Further variables for it and its kernels.
 * @param args - Further arguments for JupyterLab.
 * @throws Error with what it printed if it ends before it serves.
 */
export async function startLab(environment: Record<string, string>, args: string[] = []): Promise<Lab> {
  const port = await freePort();
  const options = ["--no-browser", `--port=${port}`, "--LabApp.expose_app_in_browser=True", ...args];
  const lab = spawn(process.execPath, [join(projectRoot(), "scripts", "lab.mjs"), ...options], {
    env: { ...process.env, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let printed = "";
  const address = new Promise<RegExpMatchArray>((resolve, reject) => {
    const read = (text: Buffer) => {
      printed += text;
      const match = printed.match(/(http:\/\/[^/\s]+\/)\S*\?token=([0-9a-f]+)/);
      if (match !== null) resolve(match);
    };
    lab.stdout.on("data", read);
    lab.stderr.on("data", read);
    lab.once("exit", () => reject(new Error(`JupyterLab ended before it served anything:\n${printed}`)));
  });
  const [, url = "", token = ""] = await address;
  return { url, port, token, output: () => printed, stop: () => stop(lab) };
}

async function stop(lab: ChildProcess): Promise<number | null> {
  if (lab.exitCode !== null) return lab.exitCode;
  const ended = once(lab, "exit");
  lab.kill("SIGINT");
  const [code] = await ended;
  return code;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("The system gave no port number.");
  return address.port;
}
