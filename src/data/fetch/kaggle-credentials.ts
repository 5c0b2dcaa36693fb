import { readFile, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";

type Environment = Readonly<Record<string, string | undefined>>;

async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (["ENOENT", "ENOTDIR", "EISDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) return null;
    throw new Error(`${path} can't be read, so Kaggle's token is not known: ${(error as Error).message}.`);
  }
}

function basic(username: string, key: string): string {
  return `Basic ${Buffer.from(`${username}:${key}`).toString("base64")}`;
}

/** Kaggle's folders of settings, as its own program looks for them. */
function configFolders(environment: Environment, home: string): string[] {
  const given = environment["KAGGLE_CONFIG_DIR"];
  if (given) return [given];
  const xdg = environment["XDG_CONFIG_HOME"] || join(home, ".config");
  return [join(home, ".kaggle"), join(xdg, "kaggle")];
}

function parseKaggleJson(text: string, path: string): string {
  try {
    const { username, key } = JSON.parse(text.replace(/^\ufeff/, "")) as Record<string, unknown>;
    if (typeof username === "string" && typeof key === "string") return basic(username, key);
  } catch {
    // The parser's own message would quote the file, and with it the key.
  }
  throw new Error(
    `${path} should hold {"username": "…", "key": "…"} as Kaggle gives it out; ` +
      "create a new token in your Kaggle settings and put its file there.",
  );
}

/**
 * Finds the user's Kaggle token where Kaggle's own program finds it: KAGGLE_API_TOKEN (or the file it names),
 * KAGGLE_USERNAME with KAGGLE_KEY, then `access_token` or `kaggle.json` in KAGGLE_CONFIG_DIR or `~/.kaggle`.
 *
 * @returns The value of an Authorization header, which is never shown; null where there is no token.
 * @throws Error if a file is there and can't be understood; it never quotes what the file says.
 */
export async function findKaggleAuthorization(
  environment: Environment = process.env,
  home: string = homedir(),
): Promise<string | null> {
  const token = environment["KAGGLE_API_TOKEN"]?.trim();
  if (token) {
    const isFile = (await stat(token).catch(() => null))?.isFile() === true;
    return `Bearer ${isFile ? ((await readIfThere(token)) ?? "").trim() : token}`;
  }
  const { KAGGLE_USERNAME: username, KAGGLE_KEY: key } = environment;
  if (username && key) return basic(username, key);
  for (const folder of configFolders(environment, home)) {
    const accessToken = (await readIfThere(join(folder, "access_token")))?.trim();
    if (accessToken) return `Bearer ${accessToken}`;
    const path = join(folder, "kaggle.json");
    const json = await readIfThere(path);
    if (json !== null) return parseKaggleJson(json, path);
  }
  return null;
}
