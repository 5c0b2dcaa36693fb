import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { stripVTControlCharacters } from "node:util";
import { projectRoot } from "../../src/runtime/paths";
import { jupyterPartsProblem, rendererName } from "../setup/jupyter-parts.js";
import { venvFolder, venvPython } from "../setup/python-environment.js";
import { type Finding, fine, wrong } from "./finding";

const remedy = "Run npm run setup; it does only what is missing.";

interface KernelSpecs {
  kernelspecs: Record<string, { resource_dir: string; spec: { argv: string[] } } | undefined>;
}

function askJupyter(args: string[]): string {
  const env = { ...process.env, JUPYTER_PREFER_ENV_PATH: "1" };
  const { stdout, stderr } = spawnSync(venvPython(projectRoot()), ["-m", ...args], { encoding: "utf8", env });
  return stripVTControlCharacters(`${stdout ?? ""}\n${stderr ?? ""}`);
}

/** Asks Jupyter which kernel it would start for the notebooks. */
function checkKernelSpec(): Finding {
  const what = "Kernel spec";
  const answer = askJupyter(["jupyter_client.kernelspecapp", "list", "--json"]);
  const json = answer.slice(answer.indexOf("{"), answer.lastIndexOf("}") + 1);
  let kernel: KernelSpecs["kernelspecs"][string];
  try {
    kernel = (JSON.parse(json) as KernelSpecs).kernelspecs["tslab"];
  } catch {
    return wrong(what, "Jupyter gave no list of kernels", remedy);
  }
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

/** Asks JupyterLab whether it sees the figure renderer. */
function checkRenderer(): Finding {
  const what = "Figure renderer";
  const name = rendererName(projectRoot());
  const line = askJupyter(["jupyterlab.labextensions", "list"])
    .split("\n")
    .find((text) => text.includes(name));
  if (line === undefined) return wrong(what, `JupyterLab doesn't know ${name}`, remedy);
  const state = line.trim().replace(/\s+/g, " ");
  return /enabled.*OK/.test(state) ? fine(what, state) : wrong(what, state, remedy);
}

/** Looks at what set-up has put into JupyterLab, through Jupyter's own eyes. */
export function checkJupyter(): Finding[] {
  if (!existsSync(venvPython(projectRoot()))) return [wrong("Jupyter", "not installed", remedy)];
  const problem = jupyterPartsProblem(projectRoot());
  if (problem !== null) return [wrong("Kernel spec and renderer", problem, remedy)];
  return [checkKernelSpec(), checkRenderer()];
}
