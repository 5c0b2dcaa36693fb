const otherColumns = new Set([
  "class",
  "images",
  "magnification",
  "part",
  "patient",
  "patients",
  "size",
  "slide",
  "subtype",
  "year",
]);

/**
 * One column a class for a table's row: its name and a number.
 *
 * A class whose name is a number (an object would move it to the front) or another column's gets "class" before it.
 *
 * @param counts - In the order of the classes.
 */
export function classColumns(classes: readonly string[], counts: readonly number[]): Record<string, number> {
  return Object.fromEntries(
    classes.map((name, label) => [
      otherColumns.has(name) || /^\d+$/.test(name) ? `class ${name}` : name,
      counts[label]!,
    ]),
  );
}
