// @ts-check
"use strict";
require("./setup/node-version.js").refuseOldNode();
require("./start/main.js").run(process.argv.slice(2));
