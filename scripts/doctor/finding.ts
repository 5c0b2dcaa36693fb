import { largest } from "../../src/runtime/many";

/** One line of what the doctor found. */
export interface Finding {
  what: string;
  found: string;
  /** "wrong" is what nothing works without; "note" is worth knowing. */
  state: "ok" | "note" | "wrong";
  /** What to do about it. */
  remedy?: string;
}

export const fine = (what: string, found: string): Finding => ({ what, found, state: "ok" });

export const note = (what: string, found: string, remedy: string): Finding => ({
  what,
  found,
  state: "note",
  remedy,
});

export const wrong = (what: string, found: string, remedy: string): Finding => ({
  what,
  found,
  state: "wrong",
  remedy,
});

const marks = { ok: "ok  ", note: "note", wrong: "WRONG" };

/** Lays findings out as a table in plain text; what to do stands below the line it belongs to. */
export function formatFindings(findings: readonly Finding[]): string {
  const width = largest(findings.map(({ what }) => what.length));
  return findings
    .map(({ what, found, state, remedy }) => {
      const line = `${marks[state].padEnd(6)} ${what.padEnd(width)}  ${found}`;
      return remedy === undefined ? line : `${line}\n${" ".repeat(7 + width + 2)}→ ${remedy}`;
    })
    .join("\n");
}
