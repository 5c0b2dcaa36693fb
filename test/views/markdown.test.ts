import { describe, expect, it } from "vitest";
import { firstHeading, markdownHtml } from "../../src/views/markdown";
import { hostileName } from "../support/example-dataset";

describe("markdownHtml", () => {
  it.each([
    ["See **this**: `a < b`", "<p>See <strong>this</strong>: <code>a &lt; b</code></p>"],
    ["# Title\nText below", "<h1>Title</h1>\n<p>Text below</p>"],
    ["- one\n- two\n  goes on", "<ul><li>one</li><li>two goes on</li></ul>"],
    ["1. one\n2. two", "<ol><li>one</li><li>two</li></ol>"],
    ["> quoted\n> twice", "<blockquote><p>quoted\ntwice</p></blockquote>"],
    ["```ts\nconst a = 1;\n\nconst b = 2;\n```", "<pre>const a = 1;\n\nconst b = 2;</pre>"],
    ["*often* 3 * 4 * 5", "<p><em>often</em> 3 * 4 * 5</p>"],
    [
      "[a paper](https://doi.org/10.1/x?a=1&b=2)",
      '<p><a href="https://doi.org/10.1/x?a=1&amp;b=2" rel="noreferrer">a paper</a></p>',
    ],
    ["[next](02-build-model.ipynb)", "<p>next</p>"],
    ["`**not bold**`", "<p><code>**not bold**</code></p>"],
  ])("turns %j into %j", (markdown, html) => {
    expect(markdownHtml(markdown)).toBe(html);
  });

  it("lowers headings by what it is told, and no further than 6", () => {
    expect(markdownHtml("## A", 1)).toBe("<h3>A</h3>");
    expect(markdownHtml("###### A", 2)).toBe("<h6>A</h6>");
  });

  it("shows HTML as text and makes no link of a script", () => {
    expect(markdownHtml(hostileName)).not.toContain("<img");
    expect(markdownHtml("[x](javascript:alert(1))")).not.toContain("href");
  });
});

describe("firstHeading", () => {
  it("finds the first heading of any level", () => {
    expect(firstHeading("text\n\n## Second\n\n# First")).toEqual({ level: 2, text: "Second" });
    expect(firstHeading("no heading")).toBeNull();
  });
});
