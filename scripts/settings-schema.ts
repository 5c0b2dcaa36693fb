// Writes what settings may be (src/runtime/settings.ts), and the presets (src/runtime/presets.ts), where `npm start` finds it before anything is installed.
import { join } from "node:path";
import { writeFileAtomically } from "../src/runtime/files/write-file";
import { projectRoot } from "../src/runtime/paths";
import { presets } from "../src/runtime/presets";
import { describeSettings } from "../src/runtime/schema-words";
import { settingsSchema } from "../src/runtime/settings";

function write(name: string, value: unknown): void {
  const file = join(projectRoot(), "scripts", "start", name);
  writeFileAtomically(file, `${JSON.stringify(value, null, 2)}\n`);
}

write("settings.json", describeSettings(settingsSchema));
write("presets.json", presets);
