"use strict";

/**
 * Shows tslab's compiler the declarations of the project's files in place of their text (see `source-files.js`), and
 * lets it check and emit cells alone; of the files, those that were edited are checked with every cell that imports.
 */

const IMPORTS = /\b(import|require)\b/;

/**
 * @param typescript - The copy that tslab will use; changed.
 * @param files - The project's, a `SourceFiles`.
 */
function readDeclarations(typescript, files) {
  const { createWatchCompilerHost, createWatchProgram } = typescript;
  /** tslab's own: the cell, the names of earlier cells, `@module` cells. */
  let ownRoots = [];
  let watch = null;
  let cellImports = false;

  typescript.createWatchCompilerHost = (rootFiles, options, system, _createProgram, ...rest) => {
    ownRoots = rootFiles;
    showDeclarations(system, files);
    // Of the packages' types only Node's are there without an import. What depends on what is not recorded: tslab asks
    // for it of cells alone, and the usual builder looks through all files to know.
    const leaner = { ...options, types: ["node"] };
    return createWatchCompilerHost(rootFiles, leaner, system, typescript.createAbstractBuilder, ...rest);
  };

  typescript.createWatchProgram = (host) => {
    emitCellsAlone(host, (file) => ownRoots.includes(file));
    watch = createWatchProgram(host);
    const updateRootFileNames = (names) => {
      ownRoots = names;
      watch.updateRootFileNames([...names, ...files.editedFiles()]);
    };
    return { ...watch, updateRootFileNames };
  };

  checkToo(typescript, () => (cellImports ? files.editedFiles() : []));

  /** Right before a cell is compiled, after edits were looked for. */
  function beginCell(code) {
    cellImports = IMPORTS.test(code);
    if (!cellImports) return;
    files.unloadStale();
    if (files.editedFiles().length > 0) watch.updateRootFileNames([...ownRoots, ...files.editedFiles()]);
  }

  return { beginCell };
}

/** Lets the compiler find declarations where the project's files are. */
function showDeclarations(system, files) {
  const { fileExists, readFile } = system;
  system.fileExists = (name) =>
    files.declaredFile(name) !== null ||
    (fileExists(name) && !(files.isOurs(name) && files.declarationOf(name) !== null));
  system.readFile = (name, encoding) => {
    const file = files.declaredFile(name);
    return file === null ? readFile(name, encoding) : files.declarationOf(file);
  };
}

/** What tslab is to emit for a cell: itself, `@module` cells and `.js` files. Node loads `.ts` files. */
function emitCellsAlone(host, isCell) {
  const { afterProgramCreate } = host;
  host.afterProgramCreate = (builder) => {
    builder.getAllDependencies = (source) => [...dependenciesOf(builder.getProgram(), source.fileName)];
    afterProgramCreate(builder);
  };

  function dependenciesOf(program, name, found = new Set()) {
    if (found.has(name)) return found;
    found.add(name);
    program.getSourceFile(name)?.resolvedModules?.forEach((module) => {
      const file = module?.resolvedModule?.resolvedFileName ?? module?.resolvedFileName ?? "";
      const own = isCell(file) || (file.endsWith(".js") && !file.includes("/node_modules/"));
      if (own) dependenciesOf(program, file, found);
    });
    return found;
  }
}

/** Checks further files, where the program has them, together with those that tslab has checked. */
function checkToo(typescript, furtherFiles) {
  const { getPreEmitDiagnosticsOfFiles } = typescript;
  typescript.getPreEmitDiagnosticsOfFiles = (program, sources) => {
    const further = furtherFiles().map((name) => program.getSourceFile(name));
    const all = new Set([...sources, ...further.filter((source) => source !== undefined)]);
    return getPreEmitDiagnosticsOfFiles(program, [...all]);
  };
}

module.exports = { readDeclarations };
