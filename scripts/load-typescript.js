"use strict";
/**
 * Lets Node load the project's TypeScript in this process, from what kernels and programs keep of it, and has errors name
 * lines of the `.ts` files: `node -r ./scripts/load-typescript.js program.ts`.
 */
const path = require("node:path");
const { SourceFiles } = require("../jupyter/kernel/source-files.js");
const { nameSourceLines } = require("../jupyter/kernel/source-positions.js");

const files = new SourceFiles(path.resolve(__dirname, ".."));
files.registerLoader();
nameSourceLines(files);
