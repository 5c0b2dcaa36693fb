/**
 * Writes a text as a CSV field (RFC 4180). One that a spreadsheet would take for a formula (it starts with =, +, -, @, a
 * tab or a line break) gets an apostrophe in front, and so does one that starts with an apostrophe itself.
 *
 * @example
 * csvText("=1+1"); // "'=1+1"
 */
export function csvText(text: string): string {
  const safe = /^[=+\-@\t\r\n']/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
