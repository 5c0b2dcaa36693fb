import { describe, expect, it } from "vitest";
import { addonVersion, checkAddonVersion } from "../../../src/runtime/native/native-backend";

describe("checkAddonVersion", () => {
  it("accepts the addon that is installed", () => {
    expect(() => checkAddonVersion()).not.toThrow();
  });

  it("refuses another version, naming both and what to do", () => {
    expect(() => checkAddonVersion("4.23.0")).toThrow(
      new RegExp(`${addonVersion.replaceAll(".", "\\.")}.*4\\.23\\.0 is loaded.*npm run setup`),
    );
    expect(() => checkAddonVersion("")).toThrow(/is loaded/);
  });
});
