import { expect, it } from "vitest";
import * as printables from "../../src/runtime/printable";
import { docstringExamples, evaluateExample } from "../support/docstring-examples";

const { printable } = printables;

it("shows what would move a cursor, rename a window or turn the direction of writing", () => {
  expect(printable("\u001b]0;owned\u0007\u001b[2Ja.png")).toBe("\\u001b]0;owned\\u0007\\u001b[2Ja.png");
  expect(printable("\u009b2J\r\u202egnp.exe\u007f")).toBe("\\u009b2J\\u000d\\u202egnp.exe\\u007f");
});

it("leaves every text of a language as it is, with its lines and tabs", () => {
  const text = "Größe\t10 µm → 乳腺 🙂\nnext line";
  expect(printable(text)).toBe(text);
});

it.each(docstringExamples("src/runtime/printable.ts"))("$code is $expected", ({ code, expected }) => {
  expect(evaluateExample(code, printables)).toEqual(evaluateExample(expected, printables));
});
