import { join } from "node:path";
import { writeFileAtomically } from "../../runtime/files/write-file";
import { checkManifest, type KeptTriage, manifestFile, readManifest } from "./classifier-manifest";

/**
 * Writes a locked threshold into a saved classifier, so that its folder has everything that triage needs wherever it
 * is copied. Nothing else in it changes: the classifier still decides at its own threshold.
 *
 * @throws Error if there is no classifier, or it has no class that is looked for.
 */
export async function lockTriage(folder: string, triage: KeptTriage): Promise<void> {
  const path = join(folder, manifestFile);
  const manifest = checkManifest({ ...(await readManifest(folder)), triage }, path);
  await writeFileAtomically(path, `${JSON.stringify(manifest, null, 2)}\n`);
}
