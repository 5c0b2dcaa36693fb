import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { projectRoot } from "../src/runtime/paths";
import type { BenchContext, Benchmark, Sides } from "./benchmark";
import { type SmallClassifier, trainSmallClassifier } from "./small-classifier";

/** What a program is given besides its own arguments. */
interface Setting {
  /** On ResNet50, and the file of its weights. */
  classifier: SmallClassifier;
  weights: string;
  /** Of this benchmark's own. */
  scratch: string;
}

/** Runs an npm script to its end, in seconds; what it needs is set up, and its output is thrown away. */
export function secondsOfProgram(
  project: string,
  args: readonly string[],
  environment: Record<string, string> = {},
): Promise<number> {
  const startedAt = performance.now();
  return new Promise((fulfil, reject) => {
    const env: NodeJS.ProcessEnv = { ...process.env, BREAKHIS_OFFLINE: "1", ...environment };
    // Found anew by each project's own npm.
    delete env["INIT_CWD"];
    const child = spawn("npm", ["run", "--silent", ...args], { cwd: project, env, stdio: "ignore" });
    child.once("error", reject);
    child.once("exit", (code) => {
      if (code === 0) fulfil((performance.now() - startedAt) / 1000);
      else reject(new Error(`npm run ${args.join(" ")} in ${project} ended with code ${code}.`));
    });
  });
}

async function prepareSetting({ resnet50Weights }: BenchContext): Promise<Setting> {
  const weights = await resnet50Weights();
  const scratch = await mkdtemp(join(tmpdir(), "breakhis-lab-bench-"));
  return { weights, scratch, classifier: await trainSmallClassifier(weights, join(scratch, "classifier")) };
}

async function prepareProgram(
  context: BenchContext,
  argsOf: (setting: Setting) => readonly string[],
): Promise<Sides> {
  const before = context.before();
  const setting = await prepareSetting(context);
  const run = (project: string) =>
    secondsOfProgram(project, argsOf(setting), {
      BREAKHIS_WEIGHTS: setting.weights,
      BREAKHIS_RUNS: join(setting.scratch, `runs-${project === before.folder ? "before" : "now"}`),
    });
  // The first time, both sides keep what they can.
  for (const project of [projectRoot(), before.folder]) await run(project);
  return {
    baselineName: before.name,
    ours: () => run(projectRoot()),
    baseline: () => run(before.folder),
    close: () => rm(setting.scratch, { recursive: true, force: true }),
  };
}

/** What one image may take as a program. */
const predictSeconds = 4;

/** Asks about an image as people do, its features not yet in the cache. */
async function prepareOneImage(context: BenchContext): Promise<Sides> {
  const setting = await prepareSetting(context);
  const { folder, images } = setting.classifier;
  const cache = join(setting.scratch, "cache");
  async function run(): Promise<number> {
    await rm(join(cache, "features"), { recursive: true, force: true });
    const args = ["predict", "--", folder, images[0]!];
    return secondsOfProgram(projectRoot(), args, {
      BREAKHIS_CACHE: cache,
      BREAKHIS_WEIGHTS: setting.weights,
    });
  }
  await run();
  return {
    baselineName: "the goal",
    ours: run,
    baseline: async () => predictSeconds,
    note: () => "ResNet50's weights read, its graph compiled, the image not in the cache.",
    close: () => rm(setting.scratch, { recursive: true, force: true }),
  };
}

function against(
  name: string,
  goal: number,
  argsOf: (setting: Setting) => readonly string[],
  mostRounds = 5,
): Benchmark {
  return { name, unit: "s", goal, mostRounds, prepare: (context) => prepareProgram(context, argsOf) };
}

const exporting =
  (format: string) =>
  ({ classifier, scratch }: Setting) => [
    "export",
    "--",
    classifier.folder,
    "--format",
    format,
    "--out",
    join(scratch, format),
  ];

/** Whole programs, from the command to their end. */
export const programBenchmarks: Benchmark[] = [
  { name: "One image, npm run predict", unit: "s", goal: 1, prepare: prepareOneImage },
  against("npm run doctor", 3, () => ["doctor"]),
  against("npm run export, browsers", 3, exporting("tfjs")),
  against("npm run export, Keras", 3, exporting("keras")),
  against("npm start, set up already", 2, () => ["start"], 2),
];
