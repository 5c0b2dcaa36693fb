// npm run lab: JupyterLab on this project, for this machine only.
//
// Static settings are in jupyter/config/. What JupyterLab remembers (theme, open tabs, trusted notebooks)
// stays in the project's cache, so nobody's own Jupyter settings are read or changed.
// Every further argument goes to JupyterLab: npm run lab -- --no-browser --port 9999

import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { delimiter, dirname, join, resolve } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const python = join(root, ".venv", "bin", "python");
const memory = resolve(process.env.BREAKHIS_CACHE || join(root, ".cache"), "jupyter");
const given = process.argv.slice(2);

if (!existsSync(join(root, ".venv", "share", "jupyter", "lab")) || !existsSync(python)) {
  console.error("JupyterLab is not installed here yet: run npm start once, it sets everything up.");
  process.exit(1);
}

mkdirSync(memory, { recursive: true, mode: 0o700 });
// JupyterLab looks for it among what it remembers, and nowhere else.
mkdirSync(join(memory, "config", "custom"), { recursive: true });
copyFileSync(join(root, "jupyter", "config", "custom.css"), join(memory, "config", "custom", "custom.css"));
const lab = spawn(python, [join(root, "jupyter", "lab.py"), ...labArguments()], {
  cwd: root,
  env: labEnvironment(),
  stdio: "inherit",
  // In a process group of its own, Ctrl-C reaches only this program, which then stops JupyterLab in order;
  // JupyterLab itself would ask whether it was meant.
  detached: true,
});

lab.on("error", (error) => {
  console.error(`JupyterLab could not be started (${error.message}): run npm start, it repairs the set-up.`);
  process.exitCode = 1;
});
lab.on("exit", (code) => {
  process.exitCode = code ?? 1;
});
stopWithThisProgram();
await announce();

function labArguments() {
  const rootGiven = given.some((argument) => argument.startsWith("--ServerApp.root_dir="));
  const asRoot = process.getuid?.() === 0 ? ["--allow-root"] : [];
  return [...(rootGiven ? [] : [`--ServerApp.root_dir=${root}`]), ...asRoot, ...given];
}

function labEnvironment() {
  const configPath = [join(root, "jupyter", "config"), process.env.JUPYTER_CONFIG_PATH];
  // What Python compiles of Jupyter is kept in .venv: without, each start takes seconds longer.
  const { PYTHONDONTWRITEBYTECODE: _, ...environment } = process.env;
  return {
    ...environment,
    JUPYTER_CONFIG_PATH: configPath.filter(Boolean).join(delimiter),
    JUPYTER_CONFIG_DIR: join(memory, "config"),
    JUPYTER_DATA_DIR: join(memory, "data"),
    JUPYTER_RUNTIME_DIR: join(memory, "runtime"),
    // New at each start, and in the environment because command lines are visible to everybody on a machine.
    JUPYTER_TOKEN: randomBytes(24).toString("hex"),
  };
}

/** Waits until JupyterLab answers, and says where. */
async function announce() {
  const server = await runningServer();
  if (server === null) return;
  if (!server.token && !server.password) {
    console.error(
      "JupyterLab came up without a token, so it is stopped: look for a token setting in /etc/jupyter.",
    );
    stop();
    return;
  }
  const notebook = given.find((argument) => argument.endsWith(".ipynb")) ?? "notebooks/01-explore-data.ipynb";
  const page = `${server.url}lab/tree/${notebook}`;
  console.log(`\nJupyterLab is running. Open this address in a browser on this machine:\n`);
  console.log(`    ${page}${server.token ? `?token=${server.token}` : ""}\n`);
  console.log("Ctrl-C here stops it, and all kernels with it.\n");
}

/** What JupyterLab writes down about itself once it listens; null if it ended before. */
async function runningServer() {
  const file = join(memory, "runtime", `jpserver-${lab.pid}.json`);
  while (lab.exitCode === null && lab.signalCode === null) {
    if (existsSync(file)) {
      try {
        return JSON.parse(readFileSync(file, "utf8"));
      } catch {
        // Being written at this moment.
      }
    }
    await wait(100);
  }
  return null;
}

function stop() {
  lab.kill("SIGTERM");
}

function stopWithThisProgram() {
  let asked = false;
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.on(signal, () => {
      if (!asked) console.log("\nStopping JupyterLab and its kernels …");
      asked = true;
      stop();
    });
  }
}
