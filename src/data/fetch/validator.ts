import { readFile, rm } from "node:fs/promises";
import { writeFileAtomically } from "../../runtime/files/write-file";
import type { HttpAnswer } from "./http-client";
import { withoutSecrets } from "./http-client";

interface Remembered {
  url: string;
  validator: string;
}

const suffix = ".part.version";

/** The server's name for this version of a file, fit for If-Range: a strong ETag or else the date of its last change. */
export function validatorOf(answer: HttpAnswer): string | null {
  const etag = answer.header("etag");
  if (etag !== null && !etag.startsWith("W/")) return etag;
  return answer.header("last-modified");
}

/** Keeps the version beside a part, for a later download to go on with. */
export async function rememberValidator(
  target: string,
  url: string,
  validator: string | null,
): Promise<void> {
  if (validator === null) return forgetValidator(target);
  await writeFileAtomically(`${target}${suffix}`, JSON.stringify({ url: withoutSecrets(url), validator }));
}

/** The version of what an earlier download of the same address left, or null. */
export async function readValidator(target: string, url: string): Promise<string | null> {
  try {
    const kept = JSON.parse(await readFile(`${target}${suffix}`, "utf8")) as Partial<Remembered>;
    return kept.url === withoutSecrets(url) ? (kept.validator ?? null) : null;
  } catch {
    return null;
  }
}

export async function forgetValidator(target: string): Promise<void> {
  await rm(`${target}${suffix}`, { force: true });
}
