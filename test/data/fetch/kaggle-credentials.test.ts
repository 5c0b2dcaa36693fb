import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { findKaggleAuthorization } from "../../../src/data/fetch/kaggle-credentials";
import { temporaryFolder } from "../../support/temporary-folder";

const root = temporaryFolder("kaggle");
const json = (username: string) => JSON.stringify({ username, key: "0123" });
const basic = (username: string) => `Basic ${btoa(`${username}:0123`)}`;
let home: string;

beforeEach(() => {
  home = mkdtempSync(join(root, "home-"));
});

function write(file: string, content: string): string {
  const path = join(home, file);
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, content);
  return path;
}

describe("findKaggleAuthorization", () => {
  it("finds nothing where there is nothing", async () => {
    expect(await findKaggleAuthorization({}, home)).toBeNull();
    expect(await findKaggleAuthorization({ KAGGLE_USERNAME: "me" }, home)).toBeNull();
  });

  it("takes the usual places in the usual order", async () => {
    write(".config/kaggle/kaggle.json", json("xdg"));
    expect(await findKaggleAuthorization({}, home)).toBe(basic("xdg"));
    write(".kaggle/kaggle.json", `\ufeff${json("home")}`);
    expect(await findKaggleAuthorization({}, home)).toBe(basic("home"));
    write(".kaggle/access_token", "KGAT_file\n");
    expect(await findKaggleAuthorization({}, home)).toBe("Bearer KGAT_file");
    write("elsewhere/kaggle.json", json("given"));
    const environment: Record<string, string> = { KAGGLE_CONFIG_DIR: join(home, "elsewhere") };
    expect(await findKaggleAuthorization(environment, home)).toBe(basic("given"));
    Object.assign(environment, { KAGGLE_USERNAME: "me", KAGGLE_KEY: "0123" });
    expect(await findKaggleAuthorization(environment, home)).toBe(basic("me"));
    environment["KAGGLE_API_TOKEN"] = "KGAT_variable";
    expect(await findKaggleAuthorization(environment, home)).toBe("Bearer KGAT_variable");
    environment["KAGGLE_API_TOKEN"] = write("token", "KGAT_named\n");
    expect(await findKaggleAuthorization(environment, home)).toBe("Bearer KGAT_named");
  });

  it.each([["secret-key, but no JSON"], ['{"username": "me", "kee": "secret-key"}'], ["[]"], [""]])(
    "says what a broken file should hold and never quotes it: %j",
    async (content) => {
      write(".kaggle/kaggle.json", content);
      const error = await findKaggleAuthorization({}, home).catch((reason: Error) => reason);
      expect((error as Error).message).toMatch(/kaggle\.json should hold \{"username"/);
      expect((error as Error).message).not.toContain("secret");
    },
  );
});
