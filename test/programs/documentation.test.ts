import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { projectRoot } from "../../src/runtime/paths";
import { layMosaic, writeMosaic } from "../support/data/mosaic";
import { imagenetDetails, writeOnnxNetworks } from "../support/model/onnx-networks";
import { temporaryFolder } from "../support/temporary-folder";

const root = projectRoot();
/** Where a reader's commands are given: the project, with a small synthetic set in data/demo, and a run in runs/. */
const folder = temporaryFolder("documentation");
const { BREAKHIS_SETTINGS: _, ...environment } = process.env;
const programs = join(folder, "programs");
const env = {
  ...environment,
  BREAKHIS_RUNS: join(folder, "runs"),
  PATH: `${programs}:${environment["PATH"]}`,
};

const demoSize = { width: 96, height: 64 };

/** In place of Slurm, which scripts/slurm/try-here.sh needs: the first and the last task of an array, here and now. */
const sbatch = `#!/bin/bash
set -euo pipefail
tasks=$(tr - '\\n' <<< "\${1#--array=}" | sort -u)
copy=$(mktemp)
cp "$2" "$copy"
for task in $tasks; do SLURM_ARRAY_TASK_ID=$task SLURM_SUBMIT_DIR=$PWD bash "$copy" "\${@:3}"; done
`;

const documents = ["README.md", "CONTRIBUTING.md", "data/README.md"].concat(
  readdirSync(join(root, "docs"))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
);
const contentOf = (document: string) => readFileSync(join(root, document), "utf8");

/** What npm start and npm test do is tested by running them; the rest of what the documents show is run here. */
const leftToThemselves = /^npm (?:start|test)\b/;
/** It runs until it is told to stop. */
const servers = /^npm run (?:lab|viewer)\b(?!.*--no-serve)/;

/** The commands in a document's shell blocks, in their order, without comments. */
function commandsIn(document: string): string[] {
  const blocks = [...contentOf(document).matchAll(/^```sh\n(.*?)^```/gms)].map((match) => match[1]!);
  const lines = blocks.flatMap((block) => block.replace(/\\\n\s*/g, " ").split("\n"));
  return lines.map((line) => line.replace(/(?:^|\s+)#.*$/, "").trim()).filter((line) => line !== "");
}

const shown = documents.flatMap((document) => commandsIn(document).map((command) => ({ document, command })));
const commands = shown
  .filter(({ command }) => !leftToThemselves.test(command))
  .filter(({ command }, i, all) => all.findIndex((other) => other.command === command) === i);

function run(command: string) {
  return spawnSync("bash", ["-ec", command], { cwd: folder, env, encoding: "utf8" });
}

/** Starts a server and stops it as Ctrl-C does once it has said where it is. */
async function runServer(command: string): Promise<{ address: string; code: number | null }> {
  const child: ChildProcess = spawn("bash", ["-ec", command], { cwd: folder, env, detached: true });
  let said = "";
  const address = await new Promise<string>((resolve, reject) => {
    const listen = (chunk: Buffer) => {
      said += chunk.toString();
      const found = /http:\/\/(?:localhost|127\.0\.0\.1):\d+\S*/.exec(said);
      if (found) resolve(found[0]);
    };
    child.stdout!.on("data", listen);
    child.stderr!.on("data", listen);
    child.once("exit", (code) => reject(new Error(`It ended by itself with ${code}:\n${said}`)));
  });
  child.removeAllListeners("exit");
  const ended = once(child, "exit");
  process.kill(-child.pid!, "SIGINT");
  const [code] = (await ended) as [number | null];
  return { address, code };
}

/** Where a reader's own networks lie, each with what has to be said of it. */
function placeEncoders(): void {
  const encoders = join(folder, "encoders");
  for (const name of ["networks", "encoders"]) mkdirSync(join(folder, name));
  writeOnnxNetworks(join(folder, "networks"));
  copyFileSync(join(folder, "networks", "planar.onnx"), join(encoders, "vit.onnx"));
  writeFileSync(join(encoders, "vit.backbone.json"), JSON.stringify(imagenetDetails));
}

/** Where a reader's own large image lies: some of the demo set's, side by side, and glass. */
async function placeField(): Promise<void> {
  const demo = join(folder, "data", "demo");
  const images = (readdirSync(demo, { recursive: true }) as string[])
    .filter((name) => name.endsWith(".png"))
    .sort();
  const [a, b, c] = images.map((name) => join(demo, name)) as [string, string, string];
  mkdirSync(join(folder, "slides"));
  const kinds = await writeMosaic(
    join(folder, "slides"),
    await layMosaic(
      [
        [a, b, null],
        [null, c, a],
      ],
      demoSize,
    ),
  );
  copyFileSync(kinds["pyramid.tif"]!, join(folder, "slides", "field.tif"));
}

beforeAll(async () => {
  placeEncoders();
  for (const name of ["package.json", "scripts"]) symlinkSync(join(root, name), join(folder, name));
  mkdirSync(programs);
  writeFileSync(join(programs, "sbatch"), sbatch, { mode: 0o755 });
  const size = ["--width", String(demoSize.width), "--height", String(demoSize.height)];
  const demo = run(
    `npm run demo -- --folder data/demo --patients 12 --images-per-patient 4 ${size.join(" ")}`,
  );
  expect(demo.status, demo.stderr).toBe(0);
  const settings = ["--backbone", "efficientnet-lite0", "--input-size", "64", "--epochs", "3"];
  const start = spawnSync(
    process.execPath,
    [join(root, "scripts", "start.js"), "--data", "data/demo", ...settings],
    { cwd: folder, env: { ...env, INIT_CWD: folder }, encoding: "utf8" },
  );
  expect(start.status, start.stdout + start.stderr).toBe(0);
  await placeField();
});

describe("the commands that the documents show", () => {
  it.each(commands.filter(({ command }) => !servers.test(command)))("$document: $command", ({ command }) => {
    const { status, stdout, stderr } = run(command);
    const said = (stdout + stderr).trimEnd();
    expect(status, `${said.split("\n").at(-1)}\n${said}`).toBe(0);
  });

  it.each(commands.filter(({ command }) => servers.test(command)))(
    "$document: $command",
    async ({ command }) => {
      const { address } = await runServer(command);
      expect(address).toMatch(/^http:/);
    },
  );

  it("are npm scripts that exist, also where they aren't run", () => {
    const { scripts } = JSON.parse(contentOf("package.json")) as { scripts: Record<string, string> };
    const known = ["start", "test", ...Object.keys(scripts).map((name) => `run ${name}`)];
    const named = documents.flatMap((document) =>
      [...contentOf(document).matchAll(/\bnpm (start|test|run [a-z:]+)/g)].map(([, name]) => name!),
    );
    expect(named.length).toBeGreaterThan(20);
    expect(named.filter((name) => !known.includes(name))).toEqual([]);
  });
});

it("links lead to files that exist", () => {
  const links = [...documents, "CHANGELOG.md"].flatMap((document) =>
    [...contentOf(document).matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, target]) => ({
      document,
      target: target!,
    })),
  );
  const lost = links.filter(({ document, target }) => !existsSync(join(root, dirname(document), target)));
  expect(lost).toEqual([]);
});
