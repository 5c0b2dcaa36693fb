import { checkComputing } from "./doctor/computing";
import { checkFiles } from "./doctor/files";
import { formatFindings } from "./doctor/finding";
import { checkJupyter } from "./doctor/jupyter";
import { checkPackages } from "./doctor/packages";
import { say } from "./say";
import { runMain } from "./setup/failure.js";

/** `npm run doctor`: what is installed here, what it computes on, and what to do where something is wrong. */
async function main(): Promise<number> {
  // Jupyter answers while the rest is looked at, up to where speed is measured.
  const jupyter = checkJupyter();
  const packages = checkPackages();
  const findings = [
    ...packages,
    ...(await checkComputing(jupyter)),
    ...(await jupyter),
    ...(await checkFiles()),
  ];
  say(formatFindings(findings));
  const broken = findings.filter(({ state }) => state === "wrong").length;
  say(
    broken === 0
      ? "\nEverything that is needed is there and works."
      : `\n${broken} thing${broken === 1 ? " is" : "s are"} wrong; each line says what to do.`,
  );
  return broken === 0 ? 0 : 1;
}

void runMain(main);
