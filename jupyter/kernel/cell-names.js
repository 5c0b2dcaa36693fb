"use strict";

/** Which names a cell declares and uses, read off its text without the compiler's checker. */

const fs = require("node:fs");

const compiler = () => require("@tslab/typescript-for-tslab");
const parse = (code) =>
  compiler().createSourceFile("cell.ts", code, compiler().ScriptTarget.ES2022, /* setParentNodes */ true);

/**
 * @param {string} code
 * @returns {Set<string>} What the cell leaves for the cells below it.
 */
function declaredNames(code) {
  const typescript = compiler();
  const names = new Set();
  const addBinding = (name) => {
    if (typescript.isIdentifier(name)) names.add(name.text);
    else for (const element of name.elements) if (element.name !== undefined) addBinding(element.name);
  };
  for (const statement of parse(code).statements) {
    if (typescript.isVariableStatement(statement)) {
      for (const { name } of statement.declarationList.declarations) addBinding(name);
    } else if (typescript.isImportDeclaration(statement)) {
      for (const name of importedNames(statement)) names.add(name);
    } else if (statement.name !== undefined && typescript.isIdentifier(statement.name)) {
      names.add(statement.name.text);
    }
  }
  return names;
}

function importedNames({ importClause }) {
  const { name, namedBindings } = importClause ?? {};
  const bindings = namedBindings?.elements ?? [namedBindings];
  return [name, ...bindings.map((binding) => binding?.name)].flatMap((one) => one?.text ?? []);
}

/**
 * @param {string} code
 * @returns {{ text: string, names: string[] }[]} The cell's import statements, and what each brings.
 */
function importsOf(code) {
  const typescript = compiler();
  return parse(code)
    .statements.filter((statement) => typescript.isImportDeclaration(statement))
    .map((statement) => ({ text: statement.getText(), names: importedNames(statement) }));
}

/**
 * @param {string} code
 * @returns {Set<string>} The names that the cell takes from elsewhere. One that it declares itself in some place is not
 *   among them, even if another place means another.
 */
function usedNames(code) {
  const typescript = compiler();
  const [used, own] = [new Set(), new Set()];
  const visit = (node) => {
    if (typescript.isIdentifier(node)) {
      const { parent } = node;
      if (parent.name !== node || typescript.isShorthandPropertyAssignment(parent)) used.add(node.text);
      // Fields of values have names, too, but hide none.
      else if (!typescript.isPropertyAccessExpression(parent) && !typescript.isPropertyAssignment(parent)) {
        own.add(node.text);
      }
    }
    typescript.forEachChild(node, visit);
  };
  visit(parse(code));
  return new Set([...used].filter((name) => !own.has(name)));
}

/**
 * Takes the word `export` away where a declaration begins with it: each name of a cell is there for the cells below
 * it anyway, and functions are pasted from files. Positions stay.
 *
 * @param {string} code
 * @returns {string | null} Null if something is exported in another way.
 */
function withoutExport(code) {
  if (!/\bexport\b/.test(code)) return code;
  const typescript = compiler();
  let text = code;
  for (const statement of parse(code).statements) {
    if (typescript.isExportDeclaration(statement) || typescript.isExportAssignment(statement)) return null;
    const modifiers = statement.modifiers ?? [];
    if (modifiers.some(({ kind }) => kind === typescript.SyntaxKind.DefaultKeyword)) return null;
    for (const { kind, end } of modifiers) {
      if (kind !== typescript.SyntaxKind.ExportKeyword) continue;
      text = `${text.slice(0, end - "export".length)}${" ".repeat("export".length)}${text.slice(end)}`;
    }
  }
  return text;
}

/**
 * @param {string | undefined} notebook - A notebook's path, as Jupyter's server tells kernels that it starts.
 * @returns {string[]} Its code cells as last saved; none if it can't be read.
 */
function codeCellsOf(notebook) {
  if (!notebook?.endsWith(".ipynb")) return [];
  try {
    const { cells } = JSON.parse(fs.readFileSync(notebook, "utf8"));
    return cells
      .filter(({ cell_type: kind }) => kind === "code")
      .map(({ source }) => (Array.isArray(source) ? source.join("") : String(source)));
  } catch {
    return [];
  }
}

module.exports = { declaredNames, usedNames, importsOf, withoutExport, codeCellsOf };
