// Writes what settings may be (src/runtime/settings.ts) where `npm start` finds it before anything is installed.
import { join } from "node:path";
import { writeFileAtomically } from "../src/runtime/files/write-file";
import { projectRoot } from "../src/runtime/paths";
import { describeSettings } from "../src/runtime/schema-words";
import { settingsSchema } from "../src/runtime/settings";

writeFileAtomically(
  join(projectRoot(), "scripts", "start", "settings.json"),
  `${JSON.stringify(describeSettings(settingsSchema), null, 2)}\n`,
);
