import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { projectRoot } from "../../../src/runtime/paths";
import { temporaryFolder } from "../../support/temporary-folder";

const folder = temporaryFolder("native-library");

it("TensorFlow loads without a word on the terminal, and the terminal is there afterwards", () => {
  const program = join(folder, "program.ts");
  writeFileSync(
    program,
    `import { tf } from ${JSON.stringify(join(projectRoot(), "src/runtime/tensorflow"))};\n` +
      `console.error("an error"); console.log("on " + tf.getBackend());\n`,
  );
  const python = join(projectRoot(), ".venv", "bin", "python");
  const tsx = join(projectRoot(), "node_modules", "tsx", "dist", "cli.mjs");
  const inTerminal = "import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)";
  const { stdout, status } = spawnSync(python, ["-c", inTerminal, process.execPath, tsx, program], {
    encoding: "utf8",
  });
  expect(stdout.replaceAll("\r", "")).toBe("an error\non tensorflow\n");
  expect(status).toBe(0);
});
