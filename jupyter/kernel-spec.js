"use strict";

const fs = require("node:fs");
const path = require("node:path");

/**
 * The kernel spec that Jupyter reads, for the launcher in this folder.
 *
 * @param nodePath - The Node program to run the kernel with.
 */
function kernelSpec(nodePath = process.execPath) {
  return {
    argv: [nodePath, path.join(__dirname, "kernel.js"), "kernel", "--config-path={connection_file}"],
    display_name: "TypeScript",
    language: "typescript",
    interrupt_mode: "signal",
    env: {
      // TensorFlow's C++ parts write information about themselves to standard error; warnings and errors stay.
      TF_CPP_MIN_LOG_LEVEL: "2",
      TF_ENABLE_ONEDNN_OPTS: "1",
      // Notebooks open at the same time share one GPU; by default the first takes all of its memory.
      TF_FORCE_GPU_ALLOW_GROWTH: "true",
    },
  };
}

/**
 * Writes the kernel spec into a Python environment, atomically.
 *
 * @param prefix - The environment's folder, such as `.venv`.
 * @returns The path of the written `kernel.json`.
 */
function installKernelSpec(prefix, nodePath = process.execPath) {
  const folder = path.join(prefix, "share", "jupyter", "kernels", "tslab");
  const file = path.join(folder, "kernel.json");
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(`${file}.new`, `${JSON.stringify(kernelSpec(nodePath), null, 2)}\n`);
  fs.renameSync(`${file}.new`, file);
  return file;
}

module.exports = { kernelSpec, installKernelSpec };
