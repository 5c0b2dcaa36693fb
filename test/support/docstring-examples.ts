import { readFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../../src/runtime/paths";

/** One example of a docstring: an expression, and the value that the comment behind it promises. */
export interface DocstringExample {
  code: string;
  expected: string;
}

const exampleBlock = /@example\n((?:(?!\s*\*\/|\s*\* @)\s*\*.*\n)+)/g;
const exampleLine = /^(?<code>.+?);\s*\/\/ (?<expected>.+)$/s;

/**
 * Finds the examples of the form `expression; // value` in a source file's docstrings.
 *
 * @param file - Relative to the project's root.
 */
export function docstringExamples(file: string): DocstringExample[] {
  const source = readFileSync(join(projectRoot(), file), "utf8");
  return [...source.matchAll(exampleBlock)].flatMap((block) => {
    // A value that is too long for the line stands in a comment below it.
    const text = (block[1] ?? "").replace(/^\s*\* ?/gm, "").replace(/;\n\s*\/\/ /g, "; // ");
    return text.split("\n").flatMap((line) => {
      const groups = exampleLine.exec(line)?.groups;
      return groups ? [{ code: groups["code"] ?? "", expected: groups["expected"] ?? "" }] : [];
    });
  });
}

/** Evaluates an example's expression, or its promised value, with a module's exports in scope. */
export function evaluateExample(expression: string, exports: Record<string, unknown>): unknown {
  return new Function(...Object.keys(exports), `return (${expression});`)(...Object.values(exports));
}
