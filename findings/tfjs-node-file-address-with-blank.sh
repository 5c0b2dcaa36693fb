#!/usr/bin/env bash
# @tensorflow/tfjs-node 4.22.0: `model.save(address)` and `tf.loadLayersModel(address)` take a file:// address as it is
# written, without decoding it (RFC 8089, RFC 3986 2.1). For a folder with a blank in its name, Node's own pathToFileURL
# gives ".../a%20b", and the model is saved into a second folder that is really called "a%20b". Loading does not look into
# the right one either. Seen with the package's handler for files, which needs no native library. Exits 0 while this is so.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y > /dev/null
npm install --silent --ignore-scripts --no-audit --no-fund @tensorflow/tfjs-node@4.22.0
cat > try.cjs <<'JS'
require("node:util").isNullOrUndefined = (value) => value == null; // Newer Nodes lack it; it is not what this is about.
const { existsSync, mkdirSync, readdirSync } = require("node:fs");
const { pathToFileURL } = require("node:url");
const { nodeFileSystemRouter } = require("@tensorflow/tfjs-node/dist/io/file_system");

const folder = `${process.cwd()}/a b`;
mkdirSync(folder);
const address = pathToFileURL(folder).href;
const artifacts = { modelTopology: {}, weightSpecs: [], weightData: new ArrayBuffer(0) };
nodeFileSystemRouter(address).save(artifacts).then(() => {
  const meant = existsSync(`${folder}/model.json`);
  const taken = existsSync(`${process.cwd()}/a%20b/model.json`);
  console.log(`${address}: in "a b" ${meant ? "saved" : "nothing"}; folders now: ${readdirSync(".").filter((name) => name.startsWith("a")).join(", ")}`);
  process.exit(!meant && taken ? 0 : 1);
});
JS
node try.cjs
