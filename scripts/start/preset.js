// @ts-check
"use strict";

/**
 * Settings under one name, for what they reproduce; a flag that is given takes the place of one of them.
 *
 * @type {Record<string, Record<string, unknown>>}
 */
const PRESETS = {
  // What its article leaves open, and is assumed here, stands in src/experiments/published/article.ts.
  perceptilabs: {
    split: "image",
    hiddenUnits: [128, 64],
    fineTune: { from: "all", epochs: 3, patience: 3 },
  },
};

module.exports = { PRESETS };
