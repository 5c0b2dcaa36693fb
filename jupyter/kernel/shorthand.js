"use strict";

/**
 * Makes `{ name }` work in a cell when `name` comes from an earlier one.
 *
 * tslab lets a cell use an earlier cell's names by writing `exports.name` for each, and finds them by asking the
 * compiler what a name refers to. In `{ name }` the answer is the property, not the variable, so tslab leaves the
 * name alone, and the cell fails with "name is not defined".
 */
function honourShorthand(typescript) {
  const { createWatchProgram, visitEachChild, factory, isShorthandPropertyAssignment } = typescript;

  typescript.createWatchProgram = (host) => {
    const { afterProgramCreate } = host;
    host.afterProgramCreate = (builder) => {
      answerWithVariables(builder.getProgram().getTypeChecker());
      afterProgramCreate(builder);
    };
    return createWatchProgram(host);
  };

  /** Asked about the name in `{ name }`, the checker now answers with the variable. */
  function answerWithVariables(checker) {
    const { getSymbolAtLocation } = checker;
    checker.getSymbolAtLocation = (node) =>
      node.parent !== undefined && isShorthandPropertyAssignment(node.parent)
        ? checker.getShorthandAssignmentValueSymbol(node.parent)
        : getSymbolAtLocation(node);
  }

  // `{ exports.name }` would be no JavaScript: what tslab puts in place of the name becomes `{ name: exports.name }`,
  // and in a destructuring assignment `{ name = 1 }` becomes `{ name: exports.name = 1 }`.
  typescript.visitEachChild = (node, visitor, ...rest) => {
    if (node === undefined || !isShorthandPropertyAssignment(node) || visitor.name !== "wrapPrevIdentifier") {
      return visitEachChild(node, visitor, ...rest);
    }
    const initializer = node.objectAssignmentInitializer && visitor(node.objectAssignmentInitializer);
    const value = visitor(node.name);
    if (value === node.name) return factory.updateShorthandPropertyAssignment(node, node.name, initializer);
    const target = initializer === undefined ? value : factory.createAssignment(value, initializer);
    return factory.createPropertyAssignment(node.name, target);
  };
}

module.exports = { honourShorthand };
