import { describe, expect, it } from "vitest";
import { firstHeading, markdownHtml } from "../../../src/views/display/markdown";
import { hostileName } from "../../support/data/example-dataset";

describe("markdownHtml", () => {
  it.each([
    ["See **this**: `a < b`", "<p>See <strong>this</strong>: <code>a &lt; b</code></p>"],
    ["- one\n- two\n  goes on", "<ul>\n<li>one</li>\n<li>two\ngoes on</li>\n</ul>"],
    [
      "[a paper](https://doi.org/10.1/x?a=1&b=2)",
      '<p><a href="https://doi.org/10.1/x?a=1&amp;b=2" rel="noreferrer">a paper</a></p>',
    ],
  ])("turns %j into %j", (markdown, html) => {
    expect(markdownHtml(markdown)).toBe(html);
  });

  it("lowers headings by what it is told, and no further than 6", () => {
    expect(markdownHtml("## A", 1)).toBe("<h3>A</h3>");
    expect(markdownHtml("###### A", 2)).toBe("<h6>A</h6>");
  });

  it("shows HTML as text, makes no link of a script or of a file beside the notebook, and fetches no picture", () => {
    expect(markdownHtml(hostileName)).not.toContain("<img");
    expect(markdownHtml("[x](javascript:alert(1))")).not.toContain("href");
    expect(markdownHtml("[next](02-build-model.ipynb)")).not.toContain("href");
    expect(markdownHtml("![x](https://example.org/x.png)")).not.toContain("<img");
  });
});

describe("firstHeading", () => {
  it("finds the first heading of any level", () => {
    expect(firstHeading("text\n\n## Second\n\n# First")).toEqual({ level: 2, text: "Second" });
    expect(firstHeading("no heading")).toBeNull();
  });
});
