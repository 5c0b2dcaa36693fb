import type { Settings } from "../../runtime/settings";
import type { ListedRun } from "../../training/runs/run-log";

/** Names of settings in which the runs are not all the same, in the settings' own order. */
export function differingSettings(runs: readonly Pick<ListedRun, "settings">[]): (keyof Settings)[] {
  const names = [...new Set(runs.flatMap(({ settings }) => Object.keys(settings)))] as (keyof Settings)[];
  return names.filter((name) => new Set(runs.map(({ settings }) => settingText(settings[name]))).size > 1);
}

/**
 * A setting's value as it is read.
 *
 * @example
 * settingText([128, 64]); // "128, 64"
 */
export function settingText(value: unknown): string {
  if (value === null || value === undefined) return "–";
  if (Array.isArray(value)) return value.length === 0 ? "none" : value.join(", ");
  // Computed values, such as 10 ** -4, carry rounding errors that nobody wants to read.
  if (typeof value === "number" && !Number.isInteger(value)) return String(Number(value.toPrecision(12)));
  if (typeof value === "object") {
    const parts = Object.entries(value).map(([name, part]) => `${settingName(name)} ${settingText(part)}`);
    return parts.join(", ");
  }
  return String(value);
}

/** Folders and files are known by the end of their paths. */
const pathSettings: ReadonlySet<string> = new Set(["data", "weights"]);

/**
 * A setting's value as it is read beside those of other runs: of a path, only its end.
 *
 * @example
 * settingOf("data", "/home/me/data/BreaKHis_v1"); // "…/data/BreaKHis_v1"
 */
export function settingOf(name: string, value: unknown): string {
  const text = settingText(value);
  if (!pathSettings.has(name)) return text;
  const parts = text.split("/");
  return parts.length > 3 ? `…/${parts.slice(-2).join("/")}` : text;
}

/** A setting's name in words: "learningRate" becomes "learning rate". */
export function settingName(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

/**
 * What a run did otherwise than the one before it, in words: settings, images and code. Empty where nothing changed.
 *
 * @example
 * describeChanges(older, newer); // ["learning rate 0.001 → 0.01"]
 */
export function describeChanges(older: ListedRun, newer: ListedRun): string[] {
  const settings = differingSettings([older, newer]).map(
    (name) =>
      `${settingName(name)} ${settingOf(name, older.settings[name])} → ${settingOf(name, newer.settings[name])}`,
  );
  const [before, after] = [older.summary, newer.summary];
  if (before === null || after === null) return settings;
  const facts: [string, string | undefined, string | undefined][] = [
    ["images", before.dataFingerprint, after.dataFingerprint],
    ["weights", before.weights.sha256, after.weights.sha256],
    ["code", codeOf(older), codeOf(newer)],
  ];
  const others = facts.filter(([, one, other]) => one !== undefined && other !== undefined && one !== other);
  return [...settings, ...others.map(([what]) => `other ${what}`)];
}

/** The code of a run, short: the commit's first digits, a + if it was changed; undefined where it was not noted. */
export function codeOf({ summary }: ListedRun): string | undefined {
  const code = summary?.code;
  if (code === undefined) return undefined;
  return code.commit === null
    ? code.version
    : `${code.commit.slice(0, 7)}${code.changed === true ? "+" : ""}`;
}
