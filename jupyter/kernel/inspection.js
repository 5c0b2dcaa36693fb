"use strict";

/**
 * What Shift-Tab shows: the signature and the whole docstring, laid out as Markdown and as text.
 *
 * tslab runs a docstring's parts together, and finds nothing where people ask most: between the brackets of a call.
 */

const KINDS = ["param", "returns", "throws", "example"];
const TITLES = { param: "Parameters", returns: "Returns", throws: "Throws", example: "Example" };

/** @typedef {{ kind: string, text: string }} Tag */
/** @typedef {{ signature: string, description: string, tags: Tag[] }} Documentation */

function prepareInspection() {
  const { JupyterHandlerImpl } = require("tslab/dist/jupyter.js");
  JupyterHandlerImpl.prototype.handleInspect = function ({ code, cursor_pos }) {
    // JupyterLab's completer asks about a name before it is whole, and then counts too far.
    const position = Math.min(cursor_pos, code.length);
    const found = inspectAround(this.executor, code, position);
    return { status: "ok", found: found !== null, data: found === null ? {} : bundleOf(found), metadata: {} };
  };
}

/** What is known about the name at a position; if nothing is, about the call whose brackets surround it. */
function inspectAround(executor, code, position) {
  const here = readQuickInfo(executor.inspect(code, position));
  if (here !== null && here.signature !== "any") return here;
  const callee = calleeAround(code, position);
  return (callee === null ? null : readQuickInfo(executor.inspect(code, callee))) ?? here;
}

/** A position in the name of the innermost call whose brackets are around a position, or null. */
function calleeAround(code, position) {
  const typescript = require("@tslab/typescript-for-tslab");
  let callee = null;
  const visit = (node) => {
    // What is being typed has no end yet: the space after the last comma is still between the brackets.
    if (node.pos > position || code.slice(node.end, position).trim() !== "") return;
    const called = typescript.isCallExpression(node) || typescript.isNewExpression(node);
    const open = code[node.end - 1] !== ")" || position < node.end;
    if (called && open && node.expression.end < position) callee = node.expression.end - 1;
    typescript.forEachChild(node, visit);
  };
  visit(typescript.createSourceFile("cell.ts", code, typescript.ScriptTarget.ES2022, true));
  return callee;
}

/** @returns {Documentation | null} */
function readQuickInfo(info) {
  if (!info) return null;
  const signature = textOf(info.displayParts)
    .replace(/^(\(alias\) )?(function )?/, "")
    .replace(/\n(import|export) [^\n]*$/, "")
    // zod's name for one of several texts.
    .replace(/\$InferEnum\w+<\{([^}]*)\}>/g, (_, members) =>
      [...members.matchAll(/"[^"]*"(?=;)/g)].join(" | "),
    );
  const tags = (info.tags ?? []).map(({ name, text }) => ({ kind: name, text: textOf(text).trim() }));
  return {
    signature,
    description: textOf(info.documentation),
    tags: tags.filter(({ kind, text }) => KINDS.includes(kind) && text !== ""),
  };
}

/** @param {{ text: string }[] | undefined} parts */
function textOf(parts) {
  return (parts ?? []).map(({ text }) => text).join("");
}

/** @param {Documentation} documentation */
function bundleOf(documentation) {
  return { "text/plain": layOutText(documentation), "text/markdown": layOutMarkdown(documentation) };
}

/** @param {Documentation} documentation */
function layOutText({ signature, description, tags }) {
  const indent = (/** @type {string} */ text) => text.replace(/^/gm, "  ");
  return layOut(signature, description, tags, (title, texts) => `${title}:\n${texts.map(indent).join("\n")}`);
}

/** @param {Documentation} documentation */
function layOutMarkdown({ signature, description, tags }) {
  const code = (/** @type {string} */ text) => `\`\`\`typescript\n${text}\n\`\`\``;
  return layOut(code(signature), description, tags, (title, texts) => {
    if (title === TITLES.example) return [`**${title}**`, ...texts.map(code)].join("\n\n");
    if (title !== TITLES.param) return `**${title}:** ${texts.join(" ")}`;
    const items = texts.map((text) => text.replace(/^(\S+) - /, "`$1`: ").replace(/\n/g, "\n  "));
    return `**${title}**\n\n${items.map((item) => `- ${item}`).join("\n")}`;
  });
}

/** Signature, description and each kind of tag that there is, a block each. */
function layOut(signature, description, tags, section) {
  const sections = KINDS.flatMap((kind) => {
    const texts = tags.filter((tag) => tag.kind === kind).map(({ text }) => text);
    return texts.length === 0 ? [] : [section(TITLES[kind], texts)];
  });
  return [signature, description, ...sections].filter((block) => block !== "").join("\n\n");
}

module.exports = { prepareInspection };
