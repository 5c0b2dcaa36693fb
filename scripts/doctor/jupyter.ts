import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { promisify, stripVTControlCharacters } from "node:util";
import { projectRoot } from "../../src/runtime/paths";
import { jupyterPartsProblem, rendererName } from "../setup/jupyter-parts.js";
import { childEnvironment } from "../setup/processes.js";
import { venvFolder, venvPython } from "../setup/python-environment.js";
import { type Finding, fine, wrong } from "./finding";

const remedy = "Run npm run setup; it does only what is missing.";

type KernelSpecs = Record<string, { resource_dir: string; spec: { argv: string[] } } | undefined>;

/** What Jupyter says of itself; null if it says nothing that is understood. */
type Answer = { kernelspecs: KernelSpecs; extensions: string[] } | null;

async function askJupyter(): Promise<Answer> {
  const root = projectRoot();
  const env = { ...childEnvironment(), JUPYTER_PREFER_ENV_PATH: "1" };
  const program = join(root, "jupyter", "what_jupyter_sees.py");
  try {
    const { stdout } = await promisify(execFile)(venvPython(root), [program], { env });
    return JSON.parse(stdout) as Answer;
  } catch {
    return null;
  }
}

/** Which kernel Jupyter would start for the notebooks. */
function checkKernelSpec(answer: Answer): Finding {
  const what = "Kernel spec";
  if (answer === null) return wrong(what, "Jupyter gave no list of kernels", remedy);
  const kernel = answer.kernelspecs["tslab"];
  if (kernel === undefined) return wrong(what, "Jupyter doesn't know the kernel tslab", remedy);
  if (!kernel.resource_dir.startsWith(venvFolder(projectRoot()))) {
    const other = `Remove it (rm -r ${kernel.resource_dir}) or leave the notebooks to this project's npm run lab.`;
    return wrong(what, `another kernel of that name comes first, in ${kernel.resource_dir}`, other);
  }
  const [node = "", launcher = ""] = kernel.spec.argv;
  if (!existsSync(node) || !existsSync(launcher)) {
    return wrong(what, `starts ${node} ${launcher}, which isn't there`, remedy);
  }
  return fine(what, `tslab, on ${node}`);
}

/** Whether JupyterLab sees the figure renderer. */
function checkRenderer(answer: Answer): Finding {
  const what = "Figure renderer";
  const name = rendererName(projectRoot());
  const line = answer?.extensions.map(stripVTControlCharacters).find((text) => text.includes(name));
  if (line === undefined) return wrong(what, `JupyterLab doesn't know ${name}`, remedy);
  const state = line.trim().replace(/\s+/g, " ");
  return /enabled.*OK/.test(state) ? fine(what, state) : wrong(what, state, remedy);
}

/** Looks at what set-up has put into JupyterLab, through Jupyter's own eyes. */
export async function checkJupyter(): Promise<Finding[]> {
  if (!existsSync(venvPython(projectRoot()))) return [wrong("Jupyter", "not installed", remedy)];
  const problem = jupyterPartsProblem(projectRoot());
  if (problem !== null) return [wrong("Kernel spec and renderer", problem, remedy)];
  const answer = await askJupyter();
  return [checkKernelSpec(answer), checkRenderer(answer)];
}
