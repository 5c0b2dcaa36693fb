// @ts-check
"use strict";
const fs = require("node:fs");
const path = require("node:path");
const { cudaLibrariesProblem, linkCudaLibraries } = require("./cuda-libraries.js");
const { hashFiles, readStamp, stampMatches, writeStamp } = require("./stamps.js");
const { stampFile: environmentStamp, tensorflowFolder } = require("./python-environment.js");

/** @typedef {import("./set-up.js").Context} Context */

/** @param {string} root */
function paths(root) {
  const folder = path.join(root, "node_modules", "@tensorflow", "tfjs-node-gpu");
  return {
    sources: path.join(folder, "binding"),
    own: path.join(root, "scripts", "setup", "native", "computing.cc"),
    headers: path.join(root, "node_modules", "node-api-headers", "include"),
    library: path.join(folder, "deps", "lib"),
    addon: path.join(folder, "lib", "napi-v8", "tfjs_binding.node"),
    computing: path.join(folder, "lib", "napi-v8", "breakhis_computing.node"),
    stamp: path.join(folder, "lib", "napi-v8", "breakhis-setup.json"),
  };
}

/** @param {string} root */
function inputs(root) {
  const { sources, own, headers } = paths(root);
  return {
    sources: hashFiles([sources, own, headers]),
    tensorflow: readStamp(environmentStamp(root))?.["requirements"] ?? null,
    folder: tensorflowFolder(root),
  };
}

/**
 * @param {string} root
 * @returns {string | null} Why the addon has to be compiled (again); null when it is as it should be.
 */
function addonProblem(root) {
  const { addon, computing, library, stamp } = paths(root);
  if (!fs.existsSync(addon) || !fs.existsSync(computing)) return "the addon is not compiled";
  if (!stampMatches(stamp, inputs(root))) return "the addon was compiled from something else";
  if (!fs.existsSync(path.join(library, "libtensorflow_cc.so.2")))
    return "the link to TensorFlow's library is broken";
  return cudaLibrariesProblem(root);
}

/**
 * Compiles TensorFlow.js' native addon, and the project's own small one, against the TensorFlow wheel in .venv.
 *
 * Plain compiler calls with the headers of node-api-headers, no node-gyp: it needs no headers of this Node, and Node-API
 * keeps the result good for later ones.
 *
 * @param {Context} context
 */
async function compileAddon(context) {
  const { root } = context;
  const { sources, own, library, addon, computing, stamp } = paths(root);
  fs.mkdirSync(path.dirname(addon), { recursive: true });
  // The folder is linked, not the files: the library's own run paths lead to the nvidia packages beside the folder.
  linkFolder(tensorflowFolder(root), library);
  for (const name of fs.readdirSync(path.dirname(addon))) {
    if (name.startsWith("draft-")) fs.rmSync(path.join(path.dirname(addon), name)); // Left by a killed set-up.
  }
  const files = ["tfjs_backend.cc", "tfjs_binding.cc"].map((file) => path.join(sources, file));
  await compile(context, files, addon);
  await compile(context, [own], computing);
  linkCudaLibraries(root, computing);
  writeStamp(stamp, inputs(root));
}

/**
 * Compiles one addon, which takes its place once it could be loaded.
 *
 * @param {Context} context
 * @param {string[]} files - Its C++ sources.
 * @param {string} addon - The result.
 */
async function compile({ root, machine, run }, files, addon) {
  const { headers } = paths(root);
  const tensorflow = tensorflowFolder(root);
  const draft = path.join(path.dirname(addon), `draft-${process.pid}.node`);
  try {
    await run(
      [
        ...machine.compiler(),
        ...["-O2", "-std=c++17", "-fPIC", "-shared", "-DNAPI_VERSION=8", "-DNODE_GYP_MODULE_NAME=addon"],
        ...[`-I${headers}`, `-I${path.join(tensorflow, "include")}`],
        ...files,
        ...["-o", draft, `-L${tensorflow}`, "-l:libtensorflow_cc.so.2", "-l:libtensorflow_framework.so.2"],
        "-Wl,-rpath,$ORIGIN/../../deps/lib",
      ],
      "addon",
      "Compiling the TensorFlow addon",
    );
    const load = `require(${JSON.stringify(draft)}); console.log("It can be loaded.");`;
    await run([process.execPath, "-e", load], "addon", "Loading the TensorFlow addon", {
      TF_CPP_MIN_LOG_LEVEL: "2",
    });
    fs.renameSync(draft, addon);
  } finally {
    fs.rmSync(draft, { force: true });
  }
}

/** @param {string} target @param {string} link */
function linkFolder(target, link) {
  fs.mkdirSync(path.dirname(link), { recursive: true });
  const draft = `${link}-${process.pid}`;
  fs.rmSync(draft, { force: true });
  fs.symlinkSync(target, draft);
  // Renaming replaces a link at once, but not a real folder.
  if (fs.lstatSync(link, { throwIfNoEntry: false })?.isDirectory()) fs.rmSync(link, { recursive: true });
  fs.renameSync(draft, link);
}

/** @param {string} root */
const computingAddon = (root) => paths(root).computing;

module.exports = { addonProblem, compileAddon, computingAddon };
