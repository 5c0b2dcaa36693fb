// @ts-check
"use strict";
const fs = require("node:fs");
const path = require("node:path");
const { hashFiles, readStamp, stampMatches, writeStamp } = require("./stamps.js");
const { stampFile: environmentStamp, venvFolder } = require("./python-environment.js");
const { SetupFailure } = require("./failure.js");

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
    kernelSpec: hashFiles([path.join(root, "jupyter", "kernel-spec.js")]),
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
  const { renderer, plotly, labExtensions, stamp } = paths(root);
  /** @type {{ installKernelSpec: (prefix: string) => string }} */
  const { installKernelSpec } = require(path.join(root, "jupyter", "kernel-spec.js"));
  installKernelSpec(venvFolder(root));

  const target = path.join(labExtensions, rendererName(root));
  // Outside labextensions: JupyterLab would load a draft that a killed set-up left there.
  const draft = path.join(venvFolder(root), "renderer-draft");
  fs.rmSync(draft, { recursive: true, force: true });
  fs.cpSync(renderer, draft, { recursive: true });
  fs.mkdirSync(path.join(draft, "static"), { recursive: true });
  fs.copyFileSync(path.join(plotly, "plotly.js"), path.join(draft, "static", "plotly.js"));
  fs.mkdirSync(labExtensions, { recursive: true });
  fs.rmSync(target, { recursive: true, force: true });
  fs.renameSync(draft, target);
  writeStamp(stamp, inputs(root));
}

module.exports = { jupyterPartsProblem, installJupyterParts, jupyterPaths: paths, rendererName };
