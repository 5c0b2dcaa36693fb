import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { kernelSpec } from "../../jupyter/kernel-spec.js";
import { projectRoot } from "../../src/runtime/paths";
import {
  endKernel,
  isChanged,
  type LabPage,
  openNotebook,
  readResults,
  runAllCells,
  screenshot,
  startBrowser,
} from "../support/browser/browser";
import { type Lab, startLab } from "../support/browser/lab";
import { writeNotebook } from "../support/kernel/notebook-file";

/** Where pictures of what was seen go, if somebody wants to look at them. */
const pictures = process.env.BREAKHIS_SCREENSHOTS;

const notebooks = join(projectRoot(), "notebooks");
const shipped = readdirSync(notebooks).filter((name) => name.endsWith(".ipynb"));
const kernelName: string = kernelSpec().display_name;

describe("npm run lab", () => {
  const folder = mkdtempSync(join(tmpdir(), "breakhis-lab-"));
  const home = mkdtempSync(join(tmpdir(), "breakhis-home-"));
  let lab: Lab;
  let browser: Browser;
  let lost: LabPage;

  beforeAll(async () => {
    writeNotebook(join(folder, "kernel.ipynb"), ["console.log(process.pid)"]);
    for (const name of shipped) copyFileSync(join(notebooks, name), join(folder, name));
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

  it("calls the kernel what the notebooks and the guides call it, and offers it first", async () => {
    const { page } = lost;
    expect(await page.locator(".jp-NotebookPanel .jp-Toolbar-kernelName").textContent()).toBe(kernelName);
    await page.evaluate("jupyterapp.commands.execute('launcher:create')");
    for (const section of ["Notebook", "Console"]) {
      const cards = page.locator(".jp-Launcher-section", { hasText: section }).locator(".jp-LauncherCard");
      await expect.poll(async () => (await cards.allTextContents())[0]).toContain(kernelName);
    }
    if (pictures) await screenshot(lost, join(pictures, "launcher.png"));
    for (const name of shipped) {
      const { metadata } = JSON.parse(readFileSync(join(notebooks, name), "utf8"));
      expect(metadata.kernelspec.display_name, name).toBe(kernelName);
    }
    const guide = readFileSync(join(projectRoot(), "docs", "running-the-notebooks.md"), "utf8");
    expect(guide).toContain(`In JupyterLab's launcher take **${kernelName}**`);
  });

  it("leaves a notebook as it is when it is opened", async () => {
    const opened = await openNotebook(browser, lab, shipped[0]!);
    expect(await isChanged(opened)).toBe(false);
    await endKernel(opened);
    await opened.page.close();
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
