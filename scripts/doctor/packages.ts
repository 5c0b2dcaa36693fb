import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../../src/runtime/paths";
import { addonProblem } from "../setup/addon.js";
import { findCompiler, findNpm } from "../setup/machine.js";
import { packagesProblem } from "../setup/npm-packages.js";
import { chooseTensorFlow, environmentProblem, stampFile, venvPython } from "../setup/python-environment.js";
import { readStamp } from "../setup/stamps.js";
import { type Finding, fine, note, wrong } from "./finding";

const setupRemedy = "Run npm run setup; it does only what is missing.";

function firstLine(program: string, args: string[]): string {
  return (
    execFileSync(program, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).split("\n")[0] ??
    ""
  );
}

/** The version of an installed npm package; null when it isn't there. */
function npmVersion(name: string): string | null {
  const file = join(projectRoot(), "node_modules", name, "package.json");
  if (!existsSync(file)) return null;
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
}

function checkNpm(): Finding {
  const npm = findNpm();
  if ("problem" in npm) return wrong("npm", "not found", npm.problem);
  const [program = "npm", ...args] = npm.command;
  return fine("npm", firstLine(program, [...args, "--version"]));
}

function checkNpmPackages(): Finding[] {
  const problem = packagesProblem(projectRoot());
  const whole =
    problem === null
      ? fine("npm packages", "as in package-lock.json")
      : wrong("npm packages", problem, setupRemedy);
  const named: [string, string][] = [
    ["TypeScript, project", "typescript"],
    ["TypeScript, notebooks", "@tslab/typescript-for-tslab"],
    ["tslab", "tslab"],
    ["TensorFlow.js", "@tensorflow/tfjs-node-gpu"],
    ["danfojs", "danfojs-node"],
    ["Plotly", "plotly.js-dist"],
  ];
  const versions = named.map(([what, name]) => {
    const version = npmVersion(name);
    return version === null ? wrong(what, "not installed", setupRemedy) : fine(what, version);
  });
  return [whole, ...versions];
}

/** Asks for the versions of installed Python packages, without importing them. */
function pythonVersions(names: string[]): Record<string, string> {
  const script =
    "import importlib.metadata as m, json, sys; print(json.dumps({d.name.lower(): d.version for d in m.distributions() if d.name.lower() in sys.argv[1:]}))";
  return JSON.parse(firstLine(venvPython(projectRoot()), ["-I", "-c", script, ...names]));
}

/** Keras in Python writes exports and is compared with; everything else goes without. */
function checkKeras(problem: unknown, version = "unknown"): Finding {
  const what = "Keras in Python";
  return typeof problem === "string"
    ? note(what, "not here: exports to keras, savedmodel and onnx need it, and tests beside it", problem)
    : fine(what, version);
}

function checkPython(): Finding[] {
  const root = projectRoot();
  const stamp = readStamp(stampFile(root));
  // What the environment was made with, whatever would be chosen now: a GPU is looked for elsewhere.
  const choice = chooseTensorFlow({ flag: null, stamp, driverAnswers: () => stamp?.["variant"] === "cuda" });
  const problem = environmentProblem(root, choice);
  if (problem !== null) return [wrong("Python packages", problem, setupRemedy)];
  const versions = pythonVersions(["jupyterlab", "nbclient", "keras", "tensorflow", "tensorflow-cpu"]);
  return [
    fine("Python", String(stamp?.["python"])),
    fine("Python packages", "as in python/requirements.lock"),
    fine("JupyterLab", versions["jupyterlab"] ?? "unknown"),
    fine("nbclient", versions["nbclient"] ?? "unknown"),
    checkKeras(stamp?.["kerasProblem"], versions["keras"]),
  ];
}

function checkAddon(): Finding {
  const problem = addonProblem(projectRoot());
  if (problem !== null) return wrong("TensorFlow addon", problem, setupRemedy);
  const compiler = findCompiler();
  if ("problem" in compiler)
    return note("TensorFlow addon", "compiled, but could not be again", compiler.problem);
  return fine("TensorFlow addon", "compiled against the wheel in .venv");
}

/** Looks at Node, npm, Python and everything that set-up installs from registries. */
export function checkPackages(): Finding[] {
  // Older ones are refused before this program starts.
  const node = fine("Node", process.version.slice(1));
  return [node, checkNpm(), ...checkNpmPackages(), ...checkPython(), checkAddon()];
}
