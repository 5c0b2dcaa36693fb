// Shows what the cache holds, or clears it: npm run cache, npm run cache -- clear [kind]

import { Command } from "commander";
import { type CacheKind, clearCache, surveyCache } from "../src/runtime/cache/cache-survey";
import { largest } from "../src/runtime/many";
import { cacheFolder } from "../src/runtime/paths";
import { endWithReason } from "./ending";
import { say } from "./say";

const units = ["bytes", "KiB", "MiB", "GiB", "TiB"];

function formatBytes(bytes: number): string {
  const power = bytes < 1024 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10));
  return `${(bytes / 1024 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`;
}

const total = (kinds: readonly CacheKind[]) => formatBytes(kinds.reduce((sum, { bytes }) => sum + bytes, 0));

function formatTable(kinds: readonly CacheKind[]): string {
  const rows = [
    ["kind", "files", "size", "what it is for"],
    ...kinds.map(({ kind, files, bytes, purpose }) => [kind, String(files), formatBytes(bytes), purpose]),
  ];
  const widths = [0, 1, 2].map((column) => largest(rows.map((row) => row[column]!.length)));
  const lines = rows.map(([kind, files, size, purpose]) =>
    [kind!.padEnd(widths[0]!), files!.padStart(widths[1]!), size!.padStart(widths[2]!), purpose].join("  "),
  );
  return lines.join("\n");
}

async function showCache(): Promise<void> {
  const kinds = await surveyCache();
  if (kinds.length === 0) {
    say(`${cacheFolder()} is empty.`);
    return;
  }
  say(`${cacheFolder()}: ${total(kinds)}\n\n${formatTable(kinds)}\n`);
  const byDefault = kinds.filter((one) => one.clearedByDefault).map(({ kind }) => kind);
  if (byDefault.length > 0) say(`npm run cache -- clear         removes ${byDefault.join(" and ")}`);
  say("npm run cache -- clear <kind>  removes that kind");
}

async function clear(kind: string | undefined): Promise<void> {
  const removed = await clearCache(kind ?? null);
  if (removed.length === 0) say(`${cacheFolder()} holds nothing that is computed again by itself.`);
  else say(`Freed ${total(removed)}: ${removed.map((one) => one.kind).join(", ")}.`);
}

async function main(): Promise<void> {
  const program = new Command("cache").description(
    "Shows what is kept to save time: how much, and what for.",
  );
  program.action(showCache);
  program
    .command("clear")
    .description("removes what is computed again by itself or, named, one kind of things")
    .argument("[kind]", "for example features, or weights, which are never removed unless named")
    .action(clear);
  await program.parseAsync();
}

main().catch(endWithReason);
