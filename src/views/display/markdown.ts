import MarkdownIt from "markdown-it";

/** Where a page's headings lead, for its table of contents. */
export interface Heading {
  /** 1 to 6. */
  level: number;
  text: string;
}

/** HTML in the Markdown appears as the text it is, and addresses are those of the web or none. */
const renderer = new MarkdownIt({ html: false });
renderer.validateLink = (address) => /^https?:\/\//.test(address);
renderer.renderer.rules["link_open"] = (tokens, index, options, _, self) => {
  tokens[index]!.attrSet("rel", "noreferrer");
  return self.renderToken(tokens, index, options);
};
// A report is one file: it shows the pictures that cells drew, and fetches none.
renderer.disable("image");

/**
 * Turns a notebook's Markdown into HTML that cannot run anything.
 *
 * @param shift - Added to each heading's level, at most to 6, so that a notebook fits under a page's own heading.
 *
 * @example
 * markdownHtml("See **this**: `a < b`"); // "<p>See <strong>this</strong>: <code>a &lt; b</code></p>"
 */
export function markdownHtml(markdown: string, shift = 0): string {
  const tokens = renderer.parse(markdown, {});
  for (const token of tokens) {
    if (token.type !== "heading_open" && token.type !== "heading_close") continue;
    token.tag = `h${Math.min(6, Number(token.tag.slice(1)) + shift)}`;
  }
  return renderer.renderer.render(tokens, renderer.options, {}).trim();
}

/** The first heading of a Markdown text, null where there is none. */
export function firstHeading(markdown: string): Heading | null {
  const tokens = renderer.parse(markdown, {});
  const opening = tokens.findIndex((token) => token.type === "heading_open");
  if (opening === -1) return null;
  return { level: Number(tokens[opening]!.tag.slice(1)), text: tokens[opening + 1]!.content };
}
