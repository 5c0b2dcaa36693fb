import { link, mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ensureDemoDataset } from "../src/data/demo/demo";
import { cacheFolder } from "../src/runtime/paths";

/** Images at 400X in BreaKHis, and the patients they are of. */
export const breakhis400Count = 1693;
const patients = 82;
const imagesPerPatient = Math.ceil(breakhis400Count / patients);

// Taken before a benchmark gives itself an empty cache.
const folder = join(cacheFolder(), "bench");

const exists = (path: string): Promise<boolean> =>
  readdir(path).then(
    () => true,
    () => false,
  );

/**
 * Synthetic images of BreaKHis' size (PNG, 700 × 460), drawn at the first time and kept in the cache.
 *
 * @param count - At most 1,693, every patient's share of them alike.
 * @returns A folder of exactly so many images, marked as synthetic.
 */
export async function syntheticImages(count: number): Promise<string> {
  const target = join(folder, `synthetic-${count}`);
  if (await exists(target)) return target;
  const drawn = join(folder, "synthetic");
  if (!(await exists(drawn))) {
    console.log(`Drawing ${patients * imagesPerPatient} synthetic images, once; this takes minutes …`);
  }
  const whole = await ensureDemoDataset(drawn, { patients, imagesPerPatient });
  const files: string[] = [];
  for (const name of ["benign", "malignant"]) {
    for (const file of await readdir(join(whole, name))) files.push(join(name, file));
  }
  // Names end in the image's number, so that this takes the first images of every patient.
  const byNumber = (file: string) => file.slice(file.lastIndexOf("-"));
  files.sort((a, b) => byNumber(a).localeCompare(byNumber(b)) || a.localeCompare(b));
  await rm(`${target}.part`, { recursive: true, force: true });
  for (const name of ["benign", "malignant"]) await mkdir(join(`${target}.part`, name), { recursive: true });
  for (const file of files.slice(0, count)) await link(join(whole, file), join(`${target}.part`, file));
  await writeFile(
    join(`${target}.part`, "SYNTHETIC.md"),
    "Drawn for npm run bench; no tissue is behind them.\n",
  );
  await rename(`${target}.part`, target);
  return target;
}
