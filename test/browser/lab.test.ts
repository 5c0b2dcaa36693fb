import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type LabPage,
  openNotebook,
  readResults,
  runAllCells,
  startBrowser,
} from "../support/browser/browser";
import { type Lab, startLab } from "../support/browser/lab";
import { writeNotebook } from "../support/kernel/notebook-file";

describe("npm run lab", () => {
  const folder = mkdtempSync(join(tmpdir(), "breakhis-lab-"));
  const home = mkdtempSync(join(tmpdir(), "breakhis-home-"));
  let lab: Lab;
  let browser: Browser;
  let lost: LabPage;

  beforeAll(async () => {
    writeNotebook(join(folder, "kernel.ipynb"), ["console.log(process.pid)"]);
    // An empty token and a home of its own, to see that the first is not honoured and the second not touched.
    const environment = { BREAKHIS_CACHE: join(folder, "cache"), HOME: home, JUPYTER_TOKEN: "" };
    lab = await startLab(environment, [`--ServerApp.root_dir=${folder}`]);
    browser = await startBrowser();
    lost = await openNotebook(browser, lab, "kernel.ipynb");
  });

  afterAll(async () => {
    await browser?.close();
    await lab?.stop();
    rmSync(folder, { recursive: true });
    rmSync(home, { recursive: true });
  });

  it("prints an address with a long token", () => {
    expect(lab.token).toMatch(/^[0-9a-f]{48}$/);
    expect(lab.output()).toContain(
      `http://127.0.0.1:${lab.port}/lab/tree/notebooks/01-explore-data.ipynb?token=`,
    );
  });

  it("refuses requests without the token", async () => {
    expect((await fetch(`${lab.url}api/contents`)).status).toBe(403);
    expect((await fetch(`${lab.url}api/contents?token=${lab.token}`)).status).toBe(200);
    const page = await fetch(`${lab.url}lab`, { redirect: "manual" });
    expect(page.headers.get("location")).toMatch(/^\/login/);
  });

  it("listens on this machine's own address only", async () => {
    const others = Object.values(networkInterfaces())
      .flatMap((addresses) => addresses ?? [])
      .filter(({ internal, family }) => !internal && family === "IPv4");
    for (const { address } of others) {
      await expect(fetch(`http://${address}:${lab.port}/api`), address).rejects.toThrow();
    }
    // Also true where the machine has no other address.
    await expect(fetch(`http://127.0.0.2:${lab.port}/api`)).rejects.toThrow();
  });

  it("shows no news, updates or questions, and asks nobody else for anything", async () => {
    const { page, complaints, foreignRequests } = lost;
    await page.waitForLoadState("networkidle");
    expect(await page.locator(".Toastify__toast, .jp-Dialog").count()).toBe(0);
    expect(foreignRequests).toEqual([]);
    expect(complaints).toEqual([]);
  });

  it("breaks printed sentences between words", async () => {
    await runAllCells(lost);
    const printed = lost.page.locator(".jp-OutputArea-output pre").first();
    const wordBreak = await printed.evaluate(
      (node) => node.ownerDocument.defaultView?.getComputedStyle(node).wordBreak,
    );
    expect(wordBreak).toBe("normal");
  });

  it("leaves the home folder alone", () => {
    expect(existsSync(join(home, ".jupyter"))).toBe(false);
    expect(existsSync(join(home, ".local"))).toBe(false);
  });

  it("ends kernels when it is stopped", async () => {
    await runAllCells(lost);
    const [cell] = await readResults(lost.page);
    const kernel = Number(cell?.outputs[0]?.text);
    expect(() => process.kill(kernel, 0)).not.toThrow();

    expect(await lab.stop()).toBe(0);

    expect(() => process.kill(kernel, 0)).toThrow("ESRCH");
  });
});
