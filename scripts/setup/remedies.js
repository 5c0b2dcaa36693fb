// @ts-check
"use strict";
const fs = require("node:fs");
const path = require("node:path");
const { ask } = require("./processes.js");

/** @typedef {"npm" | "compiler" | "python" | "chromium"} Need */
/** @typedef {"debian" | "ubuntu" | "fedora" | "arch"} Family */

/**
 * What the packages are called, by the system that has them. Names that apt doesn't know are left out where they are
 * shown; those of the others are in their main repositories.
 *
 * @type {Record<Family, { install: string, packages: Record<Need, string[]> }>}
 */
const SYSTEMS = {
  debian: {
    install: "apt-get install",
    packages: {
      npm: ["npm"],
      compiler: ["g++"],
      python: ["python3", "python3-venv"],
      chromium: ["chromium"],
    },
  },
  ubuntu: {
    install: "apt-get install",
    packages: {
      npm: ["npm"],
      compiler: ["g++"],
      python: ["python3", "python3-venv"],
      chromium: ["chromium-browser"],
    },
  },
  fedora: {
    install: "dnf install",
    packages: { npm: ["nodejs-npm"], compiler: ["gcc-c++"], python: ["python3"], chromium: ["chromium"] },
  },
  arch: {
    install: "pacman -S",
    packages: { npm: ["npm"], compiler: ["gcc"], python: ["python"], chromium: ["chromium"] },
  },
};

/**
 * What is asked of a machine before a remedy is told; a test gives another one.
 *
 * @typedef {object} System
 * @property {Family | null} family - null for systems whose packages aren't known here.
 * @property {boolean} isRoot
 * @property {boolean} hasSudo
 * @property {boolean} hasLists - Whether apt has lists of packages; a bare container has none.
 * @property {(name: string) => boolean} knows - Whether apt has a package of this name to install.
 */

/**
 * @param {string} release - The content of /etc/os-release.
 * @returns {Family | null}
 */
function readFamily(release) {
  const value = (/** @type {string} */ key) =>
    release.match(new RegExp(`^${key}="?([^"\\n]*)"?$`, "m"))?.[1]?.split(" ") ?? [];
  const names = [...value("ID"), ...value("ID_LIKE")];
  // Ubuntu and its descendants also call themselves like Debian, and come first.
  for (const family of /** @type {Family[]} */ (["ubuntu", "debian", "fedora", "arch"])) {
    if (names.includes(family)) return family;
  }
  return names.includes("rhel") ? "fedora" : null;
}

/** @param {string} name */
const isOnPath = (name) =>
  (process.env["PATH"] ?? "").split(path.delimiter).some((folder) => fs.existsSync(path.join(folder, name)));

/** @returns {System} This machine. */
function thisSystem() {
  const read = () => {
    try {
      return fs.readFileSync("/etc/os-release", "utf8");
    } catch {
      return "";
    }
  };
  const lists = "/var/lib/apt/lists";
  return {
    family: readFamily(read()),
    isRoot: process.getuid?.() === 0,
    hasSudo: isOnPath("sudo"),
    hasLists: fs.existsSync(lists) && fs.readdirSync(lists).some((name) => name.includes("_Packages")),
    knows: (name) => /Candidate: (?!\(none\))/.test(ask("apt-cache", ["policy", name]).stdout),
  };
}

/**
 * The command that installs packages, as it has to be typed on this system.
 *
 * @param {string[]} names
 * @param {System} system
 * @returns {string | null} With its backticks; null where it would not be true.
 */
function installCommand(names, system) {
  if (system.family === null) return null;
  const { install } = SYSTEMS[system.family];
  const isApt = install.startsWith("apt");
  if (isApt && system.hasLists && !names.every(system.knows)) return null;
  const steps = [`${install} ${names.join(" ")}`];
  if (isApt && !system.hasLists) steps.unshift("apt-get update");
  if (system.isRoot) return `\`${steps.join(" && ")}\``;
  if (system.hasSudo) return `\`${steps.map((step) => `sudo ${step}`).join(" && ")}\``;
  return `\`${steps.join(" && ")}\` as root`;
}

/**
 * How to get something on this system.
 *
 * @param {Need} need
 * @param {System} [system]
 * @returns {string | null} A command with its backticks; null where none is known.
 */
function remedyFor(need, system = thisSystem()) {
  return system.family === null ? null : installCommand(SYSTEMS[system.family].packages[need], system);
}

/**
 * How to get the venv module of a Python that is there.
 *
 * @param {string} version - As in "3.13".
 * @param {System} [system]
 * @returns {string | null}
 */
function venvRemedy(version, system = thisSystem()) {
  // Fedora's and Arch's Pythons have it.
  if (system.family !== "debian" && system.family !== "ubuntu") return null;
  return installCommand([`python${version}-venv`], system);
}

/**
 * How to get a Python of one of these versions beside the system's own.
 *
 * @param {string[]} versions - Best first.
 * @param {System} [system]
 * @returns {string} A command with its backticks, which works on any system with a network if need be.
 */
function olderPythonRemedy(versions, system = thisSystem()) {
  const best = versions[0] ?? "";
  if (system.family === "debian" || system.family === "ubuntu") {
    for (const version of system.hasLists ? versions : []) {
      const command = installCommand([`python${version}-venv`], system);
      if (command !== null) return command;
    }
  }
  if (system.family === "fedora") return installCommand([`python${best}`], system) ?? "";
  // Arch has no older Python than its own; uv's is put where set-up looks.
  return `\`.venv/bin/python -m pip install uv && .venv/bin/uv python install ${best}\``;
}

module.exports = { readFamily, remedyFor, venvRemedy, olderPythonRemedy };
