// @ts-check
"use strict";
const fs = require("node:fs");
const path = require("node:path");
const { hashFiles, readStamp, stampMatches, writeStamp } = require("./stamps.js");
const { stampFile: environmentStamp, tensorflowFolder } = require("./python-environment.js");

/** @typedef {import("./set-up.js").Context} Context */

/** @param {string} root */
function paths(root) {
  const folder = path.join(root, "node_modules", "@tensorflow", "tfjs-node-gpu");
  return {
    sources: path.join(folder, "binding"),
    headers: path.join(root, "node_modules", "node-api-headers", "include"),
    library: path.join(folder, "deps", "lib"),
    addon: path.join(folder, "lib", "napi-v8", "tfjs_binding.node"),
    stamp: path.join(folder, "lib", "napi-v8", "breakhis-setup.json"),
  };
}

/** @param {string} root */
function inputs(root) {
  const { sources, headers } = paths(root);
  return {
    sources: hashFiles([sources, headers]),
    tensorflow: readStamp(environmentStamp(root))?.["requirements"] ?? null,
    folder: tensorflowFolder(root),
  };
}

/**
 * @param {string} root
 * @returns {string | null} Why the addon has to be compiled (again); null when it is as it should be.
 */
function addonProblem(root) {
  const { addon, library, stamp } = paths(root);
  if (!fs.existsSync(addon)) return "the addon is not compiled";
  if (!stampMatches(stamp, inputs(root))) return "the addon was compiled from something else";
  if (!fs.existsSync(path.join(library, "libtensorflow_cc.so.2")))
    return "the link to TensorFlow's library is broken";
  return null;
}

/**
 * Compiles TensorFlow.js' native addon against the TensorFlow wheel in .venv.
 *
 * One plain compiler call with the headers of node-api-headers, no node-gyp: it needs no headers of this Node, and
 * Node-API keeps the result good for later ones.
 *
 * @param {Context} context
 */
async function compileAddon(context) {
  const { root } = context;
  const { sources, headers, library, addon, stamp } = paths(root);
  const tensorflow = tensorflowFolder(root);
  fs.mkdirSync(path.dirname(addon), { recursive: true });
  // The folder is linked, not the files: the library's own run paths lead to the nvidia packages beside the folder.
  linkFolder(tensorflow, library);
  for (const name of fs.readdirSync(path.dirname(addon))) {
    if (name.startsWith("draft-")) fs.rmSync(path.join(path.dirname(addon), name)); // Left by a killed set-up.
  }
  const draft = path.join(path.dirname(addon), `draft-${process.pid}.node`);
  try {
    await context.run(
      [
        ...context.machine.compiler(),
        ...["-O2", "-std=c++17", "-fPIC", "-shared", "-DNAPI_VERSION=8"],
        ...[`-I${headers}`, `-I${path.join(tensorflow, "include")}`],
        ...["tfjs_backend.cc", "tfjs_binding.cc"].map((file) => path.join(sources, file)),
        ...["-o", draft, `-L${tensorflow}`, "-l:libtensorflow_cc.so.2", "-l:libtensorflow_framework.so.2"],
        "-Wl,-rpath,$ORIGIN/../../deps/lib",
      ],
      "addon",
      "Compiling the TensorFlow addon",
    );
    const load = `const { TF_Version } = require(${JSON.stringify(draft)}); console.log("TensorFlow " + TF_Version);`;
    await context.run([process.execPath, "-e", load], "addon", "Loading the TensorFlow addon", {
      TF_CPP_MIN_LOG_LEVEL: "2",
    });
    fs.renameSync(draft, addon);
  } finally {
    fs.rmSync(draft, { force: true });
  }
  writeStamp(stamp, inputs(root));
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

module.exports = { addonProblem, compileAddon };
