import { existsSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { projectRoot } from "../../src/runtime/paths";
import {
  addProgram,
  type FakeProject,
  makeFakeProject,
  pythonFacts,
  touchContent,
} from "../support/fake-project";
import { waitUntil } from "../support/wait-until";

/** Entries of the lock, whatever Python they are for. */
const locked = [
  ...readFileSync(join(projectRoot(), "python", "requirements.lock"), "utf8").matchAll(/^([\w.-]+)==/gm),
].map(([, name]) => name!);
const cudaAlone = (name: string) => name === "tensorflow" || name.startsWith("nvidia-");
const cpu = `pip ${locked.filter((name) => !cudaAlone(name)).length} tensorflow-cpu`;
const cuda = `pip ${locked.filter((name) => name !== "tensorflow-cpu").length} tensorflow`;
const everything = ["npm ci", "venv", cpu, "c++", "c++", "convert"];

let project: FakeProject;
beforeEach(() => {
  project = makeFakeProject();
});
afterEach(() => {
  project.remove();
});

function setUpWhole(): void {
  const { code, stderr } = project.run();
  expect(stderr).toBe("");
  expect(code).toBe(0);
  project.calls();
}

/** The process group that works for the set-up under way, once it is noted. */
async function workingGroup(): Promise<number> {
  const noted = () => (JSON.parse(read(".cache/setup/claim.json")) as { group?: number }).group;
  await waitUntil(() => noted() !== undefined);
  return noted()!;
}

const read = (file: string) => readFileSync(join(project.root, file), "utf8");

describe("a set-up from nothing", () => {
  it("does each step once, with progress, and finds nothing to do the next time", () => {
    const first = project.run();
    expect(first).toMatchObject({ code: 0, stderr: "" });
    expect(project.calls()).toEqual(everything);
    for (const heading of ["[1/5]", "[2/5]", "[3/5]", "[4/5]", "[5/5]"])
      expect(first.stdout).toContain(heading);

    const second = project.run();
    expect(second).toMatchObject({ code: 0, stderr: "" });
    expect(second.stdout).toMatch(/^Set-up: nothing to do/);
    expect(project.calls()).toEqual([]);
  });

  it("leaves kernel spec, renderer, addon and weights where they are looked for", () => {
    setUpWhole();
    const spec = JSON.parse(read(".venv/share/jupyter/kernels/tslab/kernel.json"));
    expect(spec.argv.slice(0, 2)).toEqual([process.execPath, join(project.root, "jupyter", "kernel.js")]);
    const renderer = ".venv/share/jupyter/labextensions/breakhis-lab-plotly";
    expect(read(`${renderer}/static/plotly.js`)).toBe("// plotly");
    expect(existsSync(join(project.root, renderer, "static", "remoteEntry.js"))).toBe(true);
    const gpu = join(project.root, "node_modules/@tensorflow/tfjs-node-gpu");
    expect(readdirSync(join(gpu, "lib", "napi-v8")).sort()).toEqual([
      "breakhis-setup.json",
      "breakhis_computing.node",
      "tfjs_binding.node",
    ]);
    expect(existsSync(join(gpu, "deps", "lib", "libtensorflow_cc.so.2"))).toBe(true);
    expect(read(".cache/weights/efficientnet-lite0.safetensors")).toBe("weights\n");
  });

  it("gives back its claim, and keeps what the programs printed", () => {
    setUpWhole();
    expect(readdirSync(join(project.root, ".cache", "setup"))).toEqual(["requirements-cpu.txt"]);
    expect(read(".cache/logs/npm.log")).toContain("npm ci --ignore-scripts");
  });
});

describe("a set-up that finds something changed or missing", () => {
  const cases: [string, () => void, string[]][] = [
    [
      "a package is gone",
      () => rmSync(join(project.root, "node_modules/native"), { recursive: true }),
      ["npm ci", "c++", "c++"],
    ],
    [
      "npm's record is gone",
      () => rmSync(join(project.root, "node_modules/.package-lock.json")),
      ["npm ci", "c++", "c++"],
    ],
    [
      "the Python lock has changed",
      () => {
        const file = join(project.root, "python/requirements.lock");
        writeFileSync(file, read("python/requirements.lock").replace(/^absl-py==/m, "absl-py==1"));
      },
      ["venv", cpu, "c++", "c++"],
    ],
    [
      "TensorFlow is gone",
      () => rmSync(join(project.root, ".venv/lib/python3.11/site-packages/tensorflow"), { recursive: true }),
      ["venv", cpu],
    ],
    ["the addon is gone", () => rmSync(addon()), ["c++", "c++"]],
    [
      "the addon's source has changed",
      () => touchContent(project.root, "node_modules/@tensorflow/tfjs-node-gpu/binding/tfjs_backend.cc"),
      ["c++", "c++"],
    ],
    [
      "the weights are damaged",
      () => touchContent(project.root, ".cache/weights/efficientnet-lite0.safetensors"),
      ["convert"],
    ],
    [
      "the converter has changed",
      () => touchContent(project.root, "python/convert_efficientnet_lite0.py"),
      ["convert"],
    ],
  ];
  const addon = () =>
    join(project.root, "node_modules/@tensorflow/tfjs-node-gpu/lib/napi-v8/tfjs_binding.node");

  it.each(cases)("does again what has to be done when %s", (_what, change, calls) => {
    setUpWhole();
    change();
    expect(project.run()).toMatchObject({ code: 0, stderr: "" });
    expect(project.calls()).toEqual(calls);
  });

  it("installs again when package-lock.json names another version, and says so if that isn't what came", () => {
    setUpWhole();
    writeFileSync(
      join(project.root, "package-lock.json"),
      read("package-lock.json").replace("1.0.0", "1.0.1"),
    );
    const { code, stderr } = project.run();
    expect(project.calls()).toEqual(["npm ci"]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^npm ended without an error, but node_modules\/left is another version/);
  });

  it("makes the environment anew when the Python beneath it has changed", () => {
    setUpWhole();
    const stamp = join(project.root, ".venv/breakhis-setup.json");
    writeFileSync(stamp, readFileSync(stamp, "utf8").replace("3.11.7", "3.11.6"));
    expect(project.run().code).toBe(0);
    expect(project.calls()).toEqual(["venv", cpu]);
  });

  it("installs kernel spec and renderer again when the renderer has changed", () => {
    setUpWhole();
    touchContent(project.root, "jupyter/plotly-renderer/static/remoteEntry.js");
    expect(project.run()).toMatchObject({ code: 0 });
    expect(read(".venv/share/jupyter/labextensions/breakhis-lab-plotly/static/remoteEntry.js")).toContain(
      "# changed",
    );
    expect(project.calls()).toEqual([]);
  });
});

describe("a set-up that was killed", () => {
  const interruptions: [string, string, string[]][] = [
    ["FAKE_NPM", "npm ci", everything],
    ["FAKE_PIP", cpu, everything.slice(1)],
    ["FAKE_COMPILER", "c++", everything.slice(3)],
  ];

  it.each(interruptions)(
    "is taken up where it was, and its program ended (%s)",
    async (variable, call, rest) => {
      const child = project.start({ [variable]: "hang" });
      const calls: string[] = [];
      await waitUntil(() => calls.push(...project.calls()) > 0 && calls.includes(call));
      const group = await workingGroup();
      child.kill("SIGKILL");
      await new Promise((resolve) => child.once("exit", resolve));
      expect(existsSync(`/proc/${group}`)).toBe(true);

      expect(project.run()).toMatchObject({ code: 0, stderr: "" });
      expect(project.calls()).toEqual(rest);
      await waitUntil(() => !existsSync(`/proc/${group}`));
      expect(project.run().stdout).toContain("nothing to do");
    },
  );

  it("keeps another one out while it runs, and passes a request to stop on", async () => {
    const child = project.start({ FAKE_PIP: "hang" });
    await waitUntil(() => project.calls().some((call) => call.startsWith("pip")));
    const group = await workingGroup();
    const second = project.run();
    expect(second.code).toBe(1);
    expect(second.stderr).toMatch(/^Another set-up of this folder is running \(process \d+, since .*\n$/);

    child.kill("SIGTERM");
    const code = await new Promise((resolve) => child.once("exit", resolve));
    expect(code).toBe(143);
    await waitUntil(() => !existsSync(`/proc/${group}`));
    expect(project.run().code).toBe(0);
  });
});

describe("a set-up with an npm that stumbles over this project's overrides", () => {
  it("installs a newer one beside, and goes on with it", () => {
    expect(project.run([], { FAKE_NPM_VERSION: "9.2.0" })).toMatchObject({ code: 0, stderr: "" });
    expect(project.calls()).toEqual(["npm itself", ...everything]);
    expect(read(".cache/logs/npm.log")).toMatch(/ci --prefix .*\n(.*\n)*.*npm-cli\.js ci --ignore-scripts/);
  });

  it("takes any other as it is", () => {
    expect(project.run([], { FAKE_NPM_VERSION: "9.5.1" }).code).toBe(0);
    expect(project.calls()).toEqual(everything);
  });

  it("brings one that is locked by its content", () => {
    const folder = join(projectRoot(), "scripts", "setup", "npm");
    const json = (file: string) => JSON.parse(readFileSync(join(folder, file), "utf8"));
    const { dependencies } = json("package.json");
    const locked = json("package-lock.json").packages["node_modules/npm"];
    expect(locked).toEqual({ version: dependencies.npm, integrity: expect.stringMatching(/^sha512-/) });
  });
});

describe("a set-up on a Python that TensorFlow has no wheel for", () => {
  const newer = pythonFacts({ version: "3.14.2" });
  const alone = "pip 1 tensorflow-cpu for another Python";

  it("unpacks the wheel of another Python beside, and says what brings Keras", () => {
    expect(project.run([], newer)).toMatchObject({ code: 0, stderr: "" });
    expect(project.calls()).toEqual(["npm ci", "venv", cpu, alone, "c++", "c++", "convert"]);
    expect(existsSync(join(project.root, ".venv/native/tensorflow/libtensorflow_cc.so.2"))).toBe(true);
    const { kerasProblem } = JSON.parse(read(".venv/breakhis-setup.json"));
    expect(kerasProblem).toMatch(
      /^TensorFlow's Keras runs on Python 3.10 to 3.13, .* Python 3.14.2: `.*`, then `npm run setup`/,
    );
    expect(project.run([], newer).stdout).toContain("nothing to do");
  });

  it("is taken up where it was when the wheel did not come", () => {
    expect(project.run([], { ...newer, FAKE_PIP: "No space left on device" }).code).toBe(1);
    expect(existsSync(join(project.root, ".venv/breakhis-setup.json"))).toBe(false);
    expect(project.run([], newer).code).toBe(0);
  });

  it("is made anew once there is a Python with Keras, unless another one is named", () => {
    expect(project.run([], newer).code).toBe(0);
    project.calls();
    // The stand-ins tell one version at a time: from here on, that of a Python with Keras.
    const stamp = join(project.root, ".venv/breakhis-setup.json");
    writeFileSync(stamp, readFileSync(stamp, "utf8").replace("3.14.2", "3.11.7"));
    const named = { BREAKHIS_PYTHON: join(project.programs, "python3.11") };
    expect(project.run([], named).stdout).toContain("nothing to do");
    expect(project.run()).toMatchObject({ code: 0 });
    expect(project.calls()).toEqual(["venv", cpu, "c++", "c++"]);
    expect(JSON.parse(read(".venv/breakhis-setup.json")).kerasProblem).toBeNull();
  });
});

describe("the choice of TensorFlow", () => {
  it("is CUDA where an NVIDIA driver answers, and stays so when it stops answering", () => {
    addProgram(project.programs, "nvidia-smi");
    expect(project.run().code).toBe(0);
    expect(project.calls()).toContain(cuda);
    // What TensorFlow's loader misses lies where it looks.
    const link = ".venv/lib/python3.11/site-packages/nvidia/cublas/lib/libcusolver.so.11";
    expect(readlinkSync(join(project.root, link))).toBe("../../cusolver/lib/libcusolver.so.11");
    rmSync(join(project.programs, "nvidia-smi"));
    expect(project.run().stdout).toContain("nothing to do");
    rmSync(join(project.root, link));
    expect(project.run().code).toBe(0);
    expect(existsSync(join(project.root, link))).toBe(true);
  });

  it("ends with the library's name where TensorFlow's loader can't be helped", () => {
    const program = join(project.root, "scripts/setup/native/ask-loader.js");
    writeFileSync(
      program,
      read("scripts/setup/native/ask-loader.js").replace("folders: [folder]", "folders: []"),
    );
    const { code, stderr } = project.run(["--tensorflow", "cuda"]);
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^TensorFlow's loader doesn't find libcusolver\.so\.11 in \.venv, .*--tensorflow cpu\.\n$/,
    );
  });

  it("follows a flag, and remembers it until another is given", () => {
    addProgram(project.programs, "nvidia-smi");
    expect(project.run(["--tensorflow", "cpu"]).code).toBe(0);
    expect(project.calls()).toEqual(everything);
    expect(project.run().stdout).toContain("nothing to do");
    expect(project.run(["--tensorflow", "auto"]).code).toBe(0);
    expect(project.calls()).toEqual(["venv", cuda, "c++", "c++"]);
    expect(project.run(["--tensorflow", "cpu"]).code).toBe(0);
    expect(project.calls()).toEqual(["venv", cpu, "c++", "c++"]);
  });
});
