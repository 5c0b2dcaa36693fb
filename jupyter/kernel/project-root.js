"use strict";

const fs = require("node:fs");
const path = require("node:path");

/**
 * Finds the nearest folder upward with a `package.json`, so that cells can import "./src/…".
 *
 * @param folder - Absolute; where the search starts, usually the notebook's folder.
 * @param fallback - Returned when no folder upward has one, as for a notebook opened from elsewhere.
 */
function findProjectRoot(folder, fallback) {
  for (let current = folder; ; current = path.dirname(current)) {
    if (fs.existsSync(path.join(current, "package.json"))) return current;
    if (path.dirname(current) === current) return fallback;
  }
}

module.exports = { findProjectRoot };
