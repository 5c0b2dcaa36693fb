import { describe, expect, it } from "vitest";
import { olderPythonRemedy, readFamily, remedyFor, venvRemedy } from "../../scripts/setup/remedies.js";

/** A system as set-up would find it; apt knows what is on sale today. */
const system = (family: "debian" | "ubuntu" | "fedora" | "arch" | null, changes = {}) => ({
  family,
  isRoot: false,
  hasSudo: true,
  hasLists: true,
  knows: (name: string) => !/python3\.(12|11|10)-venv/.test(name),
  ...changes,
});

describe("readFamily", () => {
  it.each([
    ["ID=debian\n", "debian"],
    ['PRETTY_NAME="Ubuntu 24.04"\nID=ubuntu\nID_LIKE=debian\n', "ubuntu"],
    ['ID=linuxmint\nID_LIKE="ubuntu debian"\n', "ubuntu"],
    ["ID=fedora\n", "fedora"],
    ['ID="rocky"\nID_LIKE="rhel centos fedora"\n', "fedora"],
    ["ID=arch\n", "arch"],
    ["ID=manjaro\nID_LIKE=arch\n", "arch"],
    ['ID="nixos"\n', null],
    ["", null],
  ])("%j is %s", (release, family) => {
    expect(readFamily(release)).toBe(family);
  });
});

describe("a remedy is what has to be typed on the system where it is shown", () => {
  it("calls packages by that system's names", () => {
    expect(remedyFor("compiler", system("debian"))).toBe("`sudo apt-get install g++`");
    expect(remedyFor("python", system("ubuntu"))).toBe("`sudo apt-get install python3 python3-venv`");
    expect(remedyFor("chromium", system("ubuntu"))).toBe("`sudo apt-get install chromium-browser`");
    expect(remedyFor("compiler", system("fedora"))).toBe("`sudo dnf install gcc-c++`");
    expect(remedyFor("npm", system("fedora"))).toBe("`sudo dnf install nodejs-npm`");
    expect(remedyFor("compiler", system("arch"))).toBe("`sudo pacman -S gcc`");
    expect(remedyFor("compiler", system(null))).toBeNull();
  });

  it("asks root for no sudo, and others for it where it is", () => {
    expect(remedyFor("npm", system("debian", { isRoot: true }))).toBe("`apt-get install npm`");
    expect(remedyFor("npm", system("debian", { hasSudo: false }))).toBe("`apt-get install npm` as root");
  });

  it("fetches apt's lists first where there are none, and names no package that apt doesn't know", () => {
    expect(remedyFor("npm", system("debian", { hasLists: false }))).toBe(
      "`sudo apt-get update && sudo apt-get install npm`",
    );
    expect(remedyFor("npm", system("debian", { knows: () => false }))).toBeNull();
    expect(venvRemedy("3.13", system("debian"))).toBe("`sudo apt-get install python3.13-venv`");
    expect(venvRemedy("3.12", system("debian"))).toBeNull();
  });

  it("takes a Python with Keras from the system where there is one, else from uv", () => {
    const versions = ["3.13", "3.12", "3.11", "3.10"];
    const old = { knows: (name: string) => name === "python3.12-venv" };
    expect(olderPythonRemedy(versions, system("debian"))).toBe("`sudo apt-get install python3.13-venv`");
    expect(olderPythonRemedy(versions, system("ubuntu", old))).toBe("`sudo apt-get install python3.12-venv`");
    expect(olderPythonRemedy(versions, system("fedora"))).toBe("`sudo dnf install python3.13`");
    for (const other of [system("arch"), system(null), system("debian", { knows: () => false })])
      expect(olderPythonRemedy(versions, other)).toMatch(
        /^`\.venv\/bin\/python -m pip install uv && .*3\.13`$/,
      );
  });
});
