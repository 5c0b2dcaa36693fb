import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { generateDemoDataset } from "../../src/data/demo/demo";
import { trainRun } from "../../src/experiments/runs/train-run";
import { projectRoot } from "../../src/runtime/paths";
import { completeSettings } from "../../src/runtime/settings";
import { packTarGz } from "../support/data/archive-files";
import { type LoopbackServer, serveFile, startServer } from "../support/data/loopback-server";
import { smallMembers } from "../support/data/small-breakhis";
import { type KilledProgram, KillTest } from "../support/killed-program";
import { hasKeras, python } from "../support/python";
import { temporaryFolder } from "../support/temporary-folder";

/** `npm test` kills 29 times; BREAKHIS_KILLS=all 115 times, which takes four times as long. */
const all = process.env["BREAKHIS_KILLS"] === "all";
const root = projectRoot();
const folder = temporaryFolder("programs-killed");
const images = join(folder, "images");
const archive = join(folder, "small.tgz");
const network = ["--backbone", "efficientnet-lite0", "--input-size", "32"];
const settings = { data: images, backbone: "efficientnet-lite0", inputSize: 32, epochs: 2 } as const;
const fineTune = { from: "last", epochs: 2 } as const;
let server: LoopbackServer;
let run: string;

const script = (name: string) => ["-r", "tsx/cjs", join(root, "scripts", `${name}.ts`)];
const worker = (name: string) => ["-r", "tsx/cjs", join(root, "test/support", `${name}.ts`)];
const classifier = () => join(run, "classifier");

const exported = (format: string, kills: KilledProgram["kills"]): KilledProgram => ({
  name: `export-${format}`,
  command: (home) => ({
    args: [...script("export"), classifier(), "--format", format, "--out", join(home, "out/model")],
  }),
  // Keras and what it exports with hold times and numbers drawn at random; each export is compared with its classifier.
  ...(format === "tfjs" ? {} : { varying: /^out\/model\/(?:classifier\.|saved_model\/)/ }),
  kills,
});

const programs: KilledProgram[] = [
  {
    name: "data",
    command: (home) => ({ args: [...script("data"), archive, "--into", join(home, "out/set")] }),
    alreadyDone: /exists and is not replaced/,
    kills: [3, 10],
  },
  {
    name: "data-from-a-server",
    command: (home) => ({
      args: [
        ...worker("data/fetch-worker"),
        `${server.origin}/x`,
        join(home, "out/set"),
        join(home, "out/x"),
      ],
    }),
    kills: [3, 10],
  },
  {
    name: "features",
    command: (home) => ({
      args: [...script("features"), images, ...network, "--out", join(home, "out/features")],
    }),
    kills: [4, 14],
  },
  {
    name: "predict",
    command: (home) => ({
      args: [...script("predict"), classifier(), images]
        .concat("--html", join(home, "out/page.html"))
        .concat("--out", join(home, "out/answers.csv")),
    }),
    kills: [4, 14],
  },
  {
    name: "report",
    prepare: (home) => cpSync(run, join(home, "runs/one"), { recursive: true }),
    command: (home) => ({ args: [...script("report"), join(home, "runs/one")] }),
    kills: [2, 6],
  },
  {
    name: "viewer",
    command: (home) => ({
      args: [...script("viewer"), classifier(), "--no-serve", "--out", join(home, "out/page")],
    }),
    kills: [3, 12],
  },
  exported("tfjs", [3, 12]),
  ...(hasKeras ? [exported("onnx", [1, 6]), exported("keras", [1, 6]), exported("savedmodel", [1, 6])] : []),
  {
    name: "fine-tuning",
    command: () => ({ args: [...worker("runs/tuning-worker"), JSON.stringify({ ...settings, fineTune })] }),
    keepsRun: true,
    kills: [2, 10],
  },
  {
    name: "notebook-03",
    command: (home) => ({
      python,
      args: [join(root, "jupyter/run_notebooks.py"), "--kernel", "tslab"]
        .concat("--output-folder", join(home, "runs/killed"))
        .concat(join(root, "notebooks/03-train-model.ipynb")),
      env: {
        BREAKHIS_SETTINGS: JSON.stringify(settings),
        BREAKHIS_RUN: "killed",
        JUPYTER_PREFER_ENV_PATH: "1",
      },
    }),
    within: "kernel.js",
    keepsRun: true,
    kills: [1, 6],
  },
  {
    name: "start",
    command: () => ({
      args: [join(root, "scripts/start.js"), "--data", images, ...network, "--epochs", "2"],
    }),
    within: "kernel.js",
    keepsRun: true,
    kills: [1, 3],
  },
];

beforeAll(async () => {
  writeFileSync(archive, await packTarGz(await smallMembers()));
  await generateDemoDataset(images, { patients: 12, imagesPerPatient: 2, width: 96, height: 64 });
  vi.stubEnv("BREAKHIS_RUNS", join(folder, "runs"));
  run = (await trainRun(completeSettings(settings)))!.run.folder;
  vi.unstubAllEnvs();
});

/** Spread over all changes; of several, the first and the last are among them. */
const momentsOf = (changes: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) =>
    count === 1 ? Math.ceil(changes / 2) : 1 + Math.round((i * (changes - 1)) / (count - 1)),
  );

describe("killed anywhere and run again, nothing is left behind and the bytes are the same:", () => {
  it.each(programs)("$name", async (program) => {
    server = await startServer(serveFile(readFileSync(archive)));
    const test = new KillTest(program, folder);
    const { results, changes } = await test.undisturbed();
    expect(Object.keys(results).length).toBeGreaterThan(0);
    const moments = [...new Set(momentsOf(changes, program.kills[all ? 1 : 0]))];
    for (const moment of moments) {
      expect(await test.killedAt(moment), `killed at change ${moment} of ${changes}`).toEqual(results);
    }
  });
});
