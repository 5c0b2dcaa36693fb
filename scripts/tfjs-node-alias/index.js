// danfojs-node asks for @tensorflow/tfjs-node; a second native runtime would mean a second set of tensors.
module.exports = require("@tensorflow/tfjs-node-gpu");
