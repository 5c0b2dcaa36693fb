import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { escapeHtml, escapeLabel, jsonForScript } from "../../../src/views/display/html";
import { hostileName } from "../../support/data/example-dataset";

describe("escapeHtml", () => {
  it("leaves nothing of a hostile name that could open a tag or leave an attribute", () => {
    expect(escapeHtml(hostileName)).toBe("&lt;img src=x onerror=alert(1)&gt;&quot;.png");
  });

  it("has no active character for any text", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(escapeHtml(text).replace(/&(amp|lt|gt|quot|#39);/g, "")).not.toMatch(/[<>&"']/);
      }),
    );
  });
});

describe("escapeLabel", () => {
  it("escapes what Plotly would read as a tag or an entity, and leaves quotes", () => {
    expect(escapeLabel(`<b>"A&B"</b>`)).toBe(`&lt;b&gt;"A&amp;B"&lt;/b&gt;`);
  });
});

describe("jsonForScript", () => {
  it("can't end its script element", () => {
    expect(jsonForScript({ name: "</script><!--" })).not.toMatch(/[<>]/);
  });

  it("reads back as what was written, for any value", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(JSON.parse(jsonForScript(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});
