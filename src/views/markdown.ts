import { escapeHtml } from "./html";

/** Where a page's headings lead, for its table of contents. */
export interface Heading {
  /** 1 to 6. */
  level: number;
  text: string;
}

/**
 * Turns the Markdown that our notebooks use into HTML: headings, paragraphs, lists, quotes, code, emphasis, links.
 *
 * Everything is escaped first, so whatever it does not know (HTML above all) appears as the text it is.
 *
 * @param shift - Added to each heading's level, so that a notebook fits under a page's own heading.
 *
 * @example
 * markdownHtml("See **this**: `a < b`"); // "<p>See <strong>this</strong>: <code>a &lt; b</code></p>"
 */
export function markdownHtml(markdown: string, shift = 0): string {
  return blocksOf(markdown)
    .map((block) => blockHtml(block, shift))
    .join("\n");
}

/** The first heading of a Markdown text, null where there is none. */
export function firstHeading(markdown: string): Heading | null {
  const match = /^(#{1,6}) +(.+)$/m.exec(markdown);
  return match === null ? null : { level: match[1]!.length, text: match[2]!.trim() };
}

/** Blocks are parted by empty lines; a heading is a block of its own, and fenced code keeps its empty lines. */
function blocksOf(markdown: string): string[] {
  const blocks: string[] = [];
  let lines: string[] = [];
  let fenced = false;
  const close = () => {
    if (lines.length > 0) blocks.push(lines.join("\n"));
    lines = [];
  };
  for (const line of markdown.split(/\r?\n/)) {
    const isHeading = /^#{1,6} /.test(line);
    if (!fenced && (isHeading || line.trim() === "" || line.startsWith("```"))) close();
    if (fenced || line.trim() !== "") lines.push(line);
    if (line.startsWith("```")) fenced = !fenced;
    if ((line.startsWith("```") && !fenced) || (isHeading && !fenced)) close();
  }
  close();
  return blocks;
}

function blockHtml(block: string, shift: number): string {
  const heading = /^(#{1,6}) +(.+)$/.exec(block);
  if (heading) {
    const level = Math.min(6, heading[1]!.length + shift);
    return `<h${level}>${inlineHtml(heading[2]!)}</h${level}>`;
  }
  if (block.startsWith("```")) {
    const code = block
      .split("\n")
      .slice(1)
      .filter((line) => !line.startsWith("```"));
    return `<pre>${escapeHtml(code.join("\n"))}</pre>`;
  }
  const bullet = /^ *[-*] +/;
  if (bullet.test(block)) return `<ul>${listItems(block, bullet)}</ul>`;
  const number = /^ *\d+\. +/;
  if (number.test(block)) return `<ol>${listItems(block, number)}</ol>`;
  if (block.startsWith(">"))
    return `<blockquote><p>${inlineHtml(block.replace(/^> ?/gm, ""))}</p></blockquote>`;
  return `<p>${inlineHtml(block)}</p>`;
}

/** A line that does not start an item continues the one before it. */
function listItems(block: string, marker: RegExp): string {
  const items: string[] = [];
  for (const line of block.split("\n")) {
    if (marker.test(line)) items.push(line.replace(marker, ""));
    else items.push(`${items.pop() ?? ""} ${line.trim()}`);
  }
  return items.map((item) => `<li>${inlineHtml(item)}</li>`).join("");
}

/** Code is set aside first, since it may hold the signs of emphasis and links. */
function inlineHtml(text: string): string {
  return text
    .split(/(`[^`]+`)/)
    .map((part) =>
      /^`.+`$/s.test(part) ? `<code>${escapeHtml(part.slice(1, -1))}</code>` : emphasisHtml(part),
    )
    .join("");
}

function emphasisHtml(text: string): string {
  return escapeHtml(text)
    .replace(/\[([^\]]+)\]\((https?:\/\/[^\s)]+)\)/g, '<a href="$2" rel="noreferrer">$1</a>')
    .replace(/\[([^\]]+)\]\([^)]+\)/g, "$1")
    .replace(/\*\*([^*]+)\*\*/g, "<strong>$1</strong>")
    .replace(/\*([^*\s][^*]*)\*/g, "<em>$1</em>");
}
