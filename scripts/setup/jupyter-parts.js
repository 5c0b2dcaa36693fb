// @ts-check
"use strict";
const fs = require("node:fs");
const path = require("node:path");
const { hashFiles, readStamp, stampMatches, writeFileAtomically, writeStamp } = require("./stamps.js");
const { stampFile: environmentStamp, venvFolder } = require("./python-environment.js");
const { SetupFailure } = require("./failure.js");

/** Read by TensorFlow's library as it loads: fewer messages, the fast kernels, and a GPU shared with others. */
const KERNEL_ENVIRONMENT = {
  TF_CPP_MIN_LOG_LEVEL: "2",
  TF_ENABLE_ONEDNN_OPTS: "1",
  TF_FORCE_GPU_ALLOW_GROWTH: "true",
};

/** @param {string} root */
function paths(root) {
  const share = path.join(venvFolder(root), "share", "jupyter");
  return {
    launcher: path.join(root, "jupyter", "kernel.js"),
    renderer: path.join(root, "jupyter", "plotly-renderer"),
    plotly: path.join(root, "node_modules", "plotly.js-dist"),
    kernelSpec: path.join(share, "kernels", "tslab", "kernel.json"),
    labExtensions: path.join(share, "labextensions"),
    stamp: path.join(share, "breakhis-setup.json"),
  };
}

/**
 * The extension's name, which JupyterLab wants its folder to have.
 *
 * @param {string} root
 */
function rendererName(root) {
  const name = readStamp(path.join(paths(root).renderer, "package.json"))?.["name"];
  if (typeof name === "string") return name;
  throw new SetupFailure(
    "jupyter/plotly-renderer/package.json is missing or has no name: this copy of the project isn't whole, so clone it again.",
  );
}

/** @param {string} root */
function inputs(root) {
  const { renderer, plotly } = paths(root);
  return {
    root,
    node: process.execPath,
    renderer: hashFiles([renderer]),
    plotly: readStamp(path.join(plotly, "package.json"))?.["version"] ?? null,
    environment: readStamp(environmentStamp(root))?.["requirements"] ?? null,
  };
}

/**
 * @param {string} root
 * @returns {string | null} Why the kernel spec and renderer have to be put into .venv (again).
 */
function jupyterPartsProblem(root) {
  const { launcher, kernelSpec, labExtensions, stamp } = paths(root);
  if (!fs.existsSync(launcher)) {
    throw new SetupFailure(
      "jupyter/kernel.js is missing: this copy of the project isn't whole, so clone it again.",
    );
  }
  if (!fs.existsSync(kernelSpec)) return "the kernel spec is not there";
  if (!fs.existsSync(path.join(labExtensions, rendererName(root), "package.json")))
    return "the renderer is not there";
  return stampMatches(stamp, inputs(root)) ? null : "the kernel spec or renderer is an older one";
}

/**
 * Puts the kernel spec and the Plotly renderer into .venv, where its JupyterLab finds them.
 *
 * @param {string} root
 */
function installJupyterParts(root) {
  const { launcher, renderer, plotly, kernelSpec, labExtensions, stamp } = paths(root);
  const spec = {
    argv: [process.execPath, launcher, "kernel", "--config-path={connection_file}"],
    display_name: "TypeScript",
    language: "typescript",
    interrupt_mode: "signal",
    env: KERNEL_ENVIRONMENT,
  };
  writeFileAtomically(kernelSpec, `${JSON.stringify(spec, null, 2)}\n`);

  const target = path.join(labExtensions, rendererName(root));
  const draft = `${target}-${process.pid}`;
  fs.rmSync(draft, { recursive: true, force: true });
  fs.cpSync(renderer, draft, { recursive: true });
  fs.mkdirSync(path.join(draft, "static"), { recursive: true });
  fs.copyFileSync(path.join(plotly, "plotly.js"), path.join(draft, "static", "plotly.js"));
  fs.rmSync(target, { recursive: true, force: true });
  fs.renameSync(draft, target);
  writeStamp(stamp, inputs(root));
}

module.exports = { jupyterPartsProblem, installJupyterParts, jupyterPaths: paths, rendererName };
