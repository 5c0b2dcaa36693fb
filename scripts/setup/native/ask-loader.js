// @ts-check
"use strict";
// Says which of CUDA's libraries TensorFlow's own loader finds, as JSON: node ask-loader.js <addon "computing">
const fs = require("node:fs");
const path = require("node:path");

/** @type {{ askLoader: () => Record<string, string | null> }} */
const { askLoader } = require(path.resolve(process.argv[2] ?? ""));
const answers = askLoader();
// Where those that it found lie: the folders that it looks into.
const maps = fs.readFileSync("/proc/self/maps", "utf8");
const files = new Set(maps.match(/\/.*\/nvidia\/[^/\n]+\/lib\/[^/\n]+$/gm) ?? []);
console.log(JSON.stringify({ answers, folders: [...new Set([...files].map((file) => path.dirname(file)))] }));
