// @ts-check
"use strict";
require("./setup/node-version.js").refuseOldNode();
require("./setup/command.js").run(process.argv.slice(2));
