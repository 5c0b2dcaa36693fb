// Everything that moves a cursor, renames a window or turns the direction of writing; tabs and line ends do no harm.
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it is about.
const harmful = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/**
 * A text that a terminal shows as it is: names of files may hold escape sequences, which then are seen, not obeyed.
 *
 * @example
 * printable("a\u001b[2Jb.png"); // "a\\u001b[2Jb.png"
 */
export function printable(text: string): string {
  return text.replace(harmful, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
