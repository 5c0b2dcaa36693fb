/**
 * Makes a value safe as HTML text and inside a quoted attribute.
 *
 * @example
 * escapeHtml('<img src="x">'); // "&lt;img src=&quot;x&quot;&gt;"
 */
export function escapeHtml(value: unknown): string {
  return String(value)
    .replace(/&/g, "&amp;")
    .replace(/</g, "&lt;")
    .replace(/>/g, "&gt;")
    .replace(/"/g, "&quot;")
    .replace(/'/g, "&#39;");
}

/**
 * Makes a name safe as a Plotly label: Plotly reads a small subset of HTML in every text it draws.
 *
 * Quotes stay as they are, since Plotly decodes only the entities of angle brackets and ampersands.
 *
 * @example
 * escapeLabel("<b>slide</b>"); // "&lt;b&gt;slide&lt;/b&gt;"
 */
export function escapeLabel(value: unknown): string {
  return String(value).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
}

/**
 * Turns a value into JSON that is safe inside a `<script>` element: no `</script>`, no `<!--`, no line separators.
 *
 * @throws TypeError for values that JSON cannot hold, such as cycles.
 */
export function jsonForScript(value: unknown): string {
  return JSON.stringify(value)
    .replace(/</g, "\\u003c")
    .replace(/>/g, "\\u003e")
    .replace(/&/g, "\\u0026")
    .replace(/\u2028/g, "\\u2028")
    .replace(/\u2029/g, "\\u2029");
}

/**
 * Makes a page that needs no other file and no network.
 *
 * @param parts.allowed - What of the page's own may be shown and run, in the words of a Content-Security-Policy.
 */
export function htmlPage(parts: { title: string; allowed: string; css: string; body: string }): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; ${parts.allowed}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(parts.title)} · breakhis-lab</title>
<style>${parts.css}</style>
</head>
<body>
${parts.body}
</body>
</html>
`;
}
