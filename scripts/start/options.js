// @ts-check
"use strict";
const fs = require("node:fs");
const path = require("node:path");
const { parseArgs } = require("node:util");
const { SetupFailure } = require("../setup/failure.js");
/** @type {Record<string, Record<string, unknown>>} */
const PRESETS = require("./presets.json");
const SETTINGS = require("./settings.json");

/**
 * What a setting may be, as src/runtime/settings.ts says, written by scripts/settings-schema.ts: nothing that reads that
 * file itself is installed yet when a clone's first command runs.
 *
 * @typedef {object} Setting
 * @property {string} type
 * @property {string} takes - In words.
 * @property {unknown} default
 * @property {string} [description] - There where it is a flag.
 * @property {string} [flag] - Its name, where that does not follow from the setting's.
 * @property {string} [placeholder]
 * @property {string} [withoutFlag] - What holds without the flag, where that is not the default.
 * @property {string[]} [enum]
 * @property {string} [pattern]
 * @property {number} [minimum]
 * @property {number} [maximum]
 * @property {number} [exclusiveMinimum]
 * @property {number} [exclusiveMaximum]
 * @property {number} [maxItems]
 * @property {Setting} [items]
 * @property {Record<string, Setting>} [properties]
 */

/**
 * A flag that becomes a setting of the notebooks.
 *
 * @typedef {object} SettingFlag
 * @property {string} key - The setting's name; with a dot for one of a group.
 * @property {string} placeholder
 * @property {string} help
 * @property {(text: string, folder: string) => unknown} read - Throws a string that says what the flag takes.
 */

/** @param {string[]} choices */
const oneOf = (...choices) => ({
  placeholder: choices.join("|"),
  read: (/** @type {string} */ text) => {
    if (!choices.includes(text)) throw `takes ${choices.slice(0, -1).join(", ")} or ${choices.at(-1)}`;
    return text;
  },
});

const yesOrNo = {
  placeholder: "yes|no",
  read: (/** @type {string} */ text) => oneOf("yes", "no").read(text) === "yes",
};

/** @param {string} text */
const readNumber = (text) => (text.trim() === "" ? Number.NaN : Number(text));

/** @param {string} text */
const readWholeNumber = (text) => (/^\d+$/.test(text) ? Number(text) : Number.NaN);

/**
 * @param {number} value
 * @param {Setting} setting
 */
function isWithin(value, { minimum, maximum, exclusiveMinimum, exclusiveMaximum }) {
  return (
    Number.isFinite(value) &&
    !(minimum !== undefined && value < minimum) &&
    !(maximum !== undefined && value > maximum) &&
    !(exclusiveMinimum !== undefined && value <= exclusiveMinimum) &&
    !(exclusiveMaximum !== undefined && value >= exclusiveMaximum)
  );
}

/**
 * How one kind of setting is read from the command line.
 *
 * @param {Setting} setting
 * @returns {Pick<SettingFlag, "placeholder" | "read">}
 */
function readerOf(setting) {
  const { type, takes, placeholder = "TEXT" } = setting;
  if (setting.enum !== undefined) return oneOf(...setting.enum);
  if (type === "boolean") return yesOrNo;
  if (placeholder === "FOLDER" || placeholder === "FILE") return pathReader(placeholder);
  if (placeholder === "CSV") return labelsFile;
  if (placeholder === "NETWORK") return backboneReader(takes);
  if (placeholder === "JSON") return jsonReader(Object.keys(setting.properties ?? {}));
  if (placeholder === "PAIRS") return pairsReader(Object.keys(setting.properties ?? {}));
  /** @param {(text: string) => unknown} parse @param {(value: any) => boolean} fits */
  const reader = (parse, fits, what = takes) => ({
    read: (/** @type {string} */ text) => {
      const value = parse(text);
      if (!fits(value)) throw `takes ${what}`;
      return value;
    },
  });
  if (type === "array") {
    const { maxItems = 0, items = setting } = setting;
    const fits = (/** @type {number[]} */ list) =>
      list.length <= maxItems && list.every((value) => isWithin(value, items));
    const parse = (/** @type {string} */ text) =>
      text === "none" ? [] : text.split(",").map(readWholeNumber);
    return { placeholder: "N,N", ...reader(parse, fits, `${takes}, with commas between them, or none`) };
  }
  const fits = (/** @type {number} */ value) => isWithin(value, setting);
  if (type === "integer") return { placeholder: "N", ...reader(readWholeNumber, fits) };
  if (type === "number") return { placeholder: "X", ...reader(readNumber, fits) };
  const pattern = new RegExp(setting.pattern ?? "");
  return { placeholder, ...reader(String, (text) => pattern.test(text)) };
}

/**
 * @param {"FOLDER" | "FILE"} placeholder
 * @returns {Pick<SettingFlag, "placeholder" | "read">}
 */
function pathReader(placeholder) {
  return {
    placeholder,
    read: (text, from) => {
      const found = path.resolve(from, text);
      const stats = fs.statSync(found, { throwIfNoEntry: false });
      const isTable = stats?.isFile() && /\.(?:csv|tsv|txt)$/i.test(found);
      if (placeholder === "FOLDER" && !stats?.isDirectory() && !isTable)
        throw `takes a folder of images or a labels file (CSV), and ${found} is neither`;
      if (placeholder === "FILE" && !stats?.isFile())
        throw `takes a file of ResNet50's weights (Keras HDF5), and ${found} is not a file`;
      return found;
    },
  };
}

/**
 * One of ours by its name, or another network by its path.
 *
 * @param {string} takes
 * @returns {Pick<SettingFlag, "placeholder" | "read">}
 */
function backboneReader(takes) {
  return {
    placeholder: "NETWORK",
    read: (text, from) => {
      if (["auto", "resnet50", "efficientnet-lite0"].includes(text)) return text;
      const found = path.resolve(from, text);
      // A name of keras.applications, such as DenseNet121, is known where it is loaded.
      if (!fs.existsSync(found) && /^[A-Z]\w*$/.test(text)) return text;
      if (!fs.existsSync(found)) throw `takes ${takes}, and there is nothing at ${found}`;
      return found;
    },
  };
}

/**
 * A file that holds a group of settings; what each of them takes is said where they are used.
 *
 * @param {string[]} names
 * @returns {Pick<SettingFlag, "placeholder" | "read">}
 */
function jsonReader(names) {
  const takes = `takes a JSON file with ${names.join(", ")}`;
  return {
    placeholder: "JSON",
    read: (text, from) => {
      const found = path.resolve(from, text);
      /** @type {unknown} */
      let json;
      try {
        json = JSON.parse(fs.readFileSync(found, "utf8"));
      } catch (error) {
        throw `${takes}, and ${found} is none (${error instanceof Error ? error.message : error})`;
      }
      const given = typeof json === "object" && json !== null ? Object.keys(json) : [""];
      const other = given.find((name) => !names.includes(name));
      if (other !== undefined) throw `${takes}, and ${found} has "${other}"`;
      return json;
    },
  };
}

/** A file that may also lie in the folder of images, where it is looked for later. */
const labelsFile = {
  placeholder: "CSV",
  read: (/** @type {string} */ text, /** @type {string} */ from) => {
    const found = path.resolve(from, text);
    return fs.existsSync(found) ? found : text;
  },
};

/**
 * @param {string[]} names
 * @returns {Pick<SettingFlag, "placeholder" | "read">}
 */
function pairsReader(names) {
  return {
    placeholder: "PAIRS",
    read: (text) =>
      Object.fromEntries(
        text.split(",").map((pair) => {
          const [name = "", ...value] = pair.split("=");
          if (!names.includes(name.trim()) || value.join("=").trim() === "")
            throw `takes pairs such as image=path,label=class, of ${names.join(", ")}`;
          return [name.trim(), value.join("=").trim()];
        }),
      ),
  };
}

/** @param {Setting} setting */
function helpOf({ description, default: value, withoutFlag }) {
  const shown = withoutFlag ?? (typeof value === "boolean" ? (value ? "yes" : "no") : value);
  return shown === null ? `${description}` : `${description} (${shown})`;
}

/**
 * The flags of a group of settings, by their names.
 *
 * @param {Record<string, Setting>} settings
 * @returns {Record<string, SettingFlag>}
 */
function flagsOf(settings, group = "") {
  /** @type {Record<string, SettingFlag>} */
  const flags = {};
  for (const [name, setting] of Object.entries(settings)) {
    const key = `${group}${name}`;
    const flag = setting.flag ?? name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    if (setting.description !== undefined) flags[flag] = { key, help: helpOf(setting), ...readerOf(setting) };
    Object.assign(flags, flagsOf(setting.properties ?? {}, `${key}.`));
  }
  return flags;
}

const settingFlags = flagsOf(/** @type {Record<string, any>} */ (SETTINGS.properties));

const tensorflow = oneOf("cpu", "cuda", "auto");
const preset = {
  read: (/** @type {string} */ text) => {
    if (!Object.hasOwn(PRESETS, text)) throw `takes ${Object.keys(PRESETS).join(" or ")}`;
    return text;
  },
};

/** A run's settings.json, as npm run card gives it on; what is null in it is left to be found. */
const settingsFile = {
  read: (/** @type {string} */ text, /** @type {string} */ from) => {
    const takes = "takes a run's settings.json";
    /** @type {unknown} */
    let found;
    try {
      found = JSON.parse(fs.readFileSync(path.resolve(from, text), "utf8"));
    } catch {
      throw takes;
    }
    if (typeof found !== "object" || found === null || Array.isArray(found)) throw takes;
    const unknown = Object.keys(found).find((key) => !Object.hasOwn(SETTINGS.properties, key));
    if (unknown !== undefined) throw `${takes}, and ${JSON.stringify(unknown)} is no setting`;
    return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== null));
  },
};

/** @param {string} flag @param {string} text */
const helpLine = (flag, text) => `  ${flag.padEnd(50)} ${text}`;

const HELP = `Usage: npm start -- [options]

Sets everything up where it isn't yet, then runs the four notebooks and says where the results are.

${Object.entries(settingFlags)
  .map(([name, { placeholder, help }]) => helpLine(`--${name} ${placeholder}`, help))
  .join("\n")}
${helpLine("--preset patients", "a recipe for few patients with many images each: see the README")}
${helpLine("--preset perceptilabs", "the article that this project follows, as far as it says what it did")}
${helpLine("--settings FILE", "a run's settings.json, as npm run card gives it on; other flags win over it")}
${helpLine("--tensorflow cpu|cuda|auto", "which TensorFlow to install (auto: cuda where an NVIDIA driver answers)")}
${helpLine("--as-shipped", "run the notebooks as they are shipped, not as you saved them last")}
${helpLine("--setup-only", "set up, and run nothing")}
${helpLine("--help", "show this")}`;

/**
 * @typedef {object} StartOptions
 * @property {boolean} help
 * @property {boolean} setupOnly
 * @property {boolean} asShipped
 * @property {"cpu" | "cuda" | "auto" | null} tensorflow
 * @property {string | null} preset
 * @property {Record<string, unknown>} settings - What was given, under the names of the settings.
 */

/**
 * Reads and checks the flags of `npm start`.
 *
 * @param {string[]} args
 * @param {string} from - The folder that relative paths start at.
 * @returns {StartOptions}
 * @throws {SetupFailure} naming the flag, what it takes and what was given.
 */
function readOptions(args, from) {
  const {
    help,
    "setup-only": setupOnly,
    "as-shipped": asShipped,
    tensorflow: wheel,
    preset: name,
    settings: file,
    ...given
  } = parse(args);
  const chosen = typeof name === "string" ? String(readValue("preset", preset, name, from)) : null;
  /** @type {Record<string, unknown>} */
  const settings = {
    ...(chosen === null ? {} : PRESETS[chosen]),
    ...(typeof file === "string"
      ? /** @type {object} */ (readValue("settings", settingsFile, file, from))
      : {}),
  };
  for (const [name, flag] of Object.entries(settingFlags)) {
    const text = given[name];
    if (typeof text === "string") setSetting(settings, flag.key, readValue(name, flag, text, from));
  }
  const variant = typeof wheel === "string" ? readValue("tensorflow", tensorflow, wheel, from) : null;
  if (settings["weights"] !== undefined && settings["backbone"] === "efficientnet-lite0") {
    throw new SetupFailure(
      "--weights names a file for ResNet50, and --backbone asks for efficientnet-lite0, which brings its own: leave one of them out.",
    );
  }
  return {
    help: help === true,
    setupOnly: setupOnly === true,
    asShipped: asShipped === true,
    preset: chosen,
    tensorflow: /** @type {StartOptions["tensorflow"]} */ (variant),
    settings,
  };
}

/**
 * @param {Record<string, unknown>} settings
 * @param {string} key - With a dot for a setting of a group, as in "fineTune.epochs".
 * @param {unknown} value
 */
function setSetting(settings, key, value) {
  const [group = "", member] = key.split(".");
  if (member === undefined) settings[group] = value;
  else settings[group] = { .../** @type {object | undefined} */ (settings[group]), [member]: value };
}

/**
 * @param {string[]} args
 * @returns {Record<string, unknown>}
 */
function parse(args) {
  const text = /** @type {const} */ ({ type: "string" });
  const flag = /** @type {const} */ ({ type: "boolean" });
  const flags = Object.fromEntries(Object.keys(settingFlags).map((name) => [name, text]));
  try {
    const options = {
      ...flags,
      preset: text,
      settings: text,
      tensorflow: text,
      "setup-only": flag,
      "as-shipped": flag,
      help: flag,
    };
    return parseArgs({ args, options, allowPositionals: false }).values;
  } catch (error) {
    const message = error instanceof Error ? (error.message.split(/\. |\n/)[0] ?? "") : String(error);
    throw new SetupFailure(`${message.replace(/\.$/, "")}: see npm start -- --help.`);
  }
}

/**
 * @param {string} name
 * @param {Pick<SettingFlag, "read">} flag
 * @param {string} text
 * @param {string} from
 */
function readValue(name, flag, text, from) {
  try {
    return flag.read(text, from);
  } catch (takes) {
    throw new SetupFailure(`--${name} ${takes}; "${text}" was given.`);
  }
}

module.exports = { readOptions, HELP, settingFlags };
