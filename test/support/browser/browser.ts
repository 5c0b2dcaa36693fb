import { accessSync, constants, existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import type { Lab } from "./lab";

/** One Chromium window on one JupyterLab, and everything it complained about. */
export interface LabPage {
  page: Page;
  /** Console errors and uncaught exceptions, so far. */
  complaints: string[];
  /** Addresses outside this machine that the page asked for, so far. */
  foreignRequests: string[];
}

/** One cell's result, as the notebook would be saved. */
export interface CellResult {
  executionCount: number | null;
  outputs: {
    output_type: string;
    name?: string;
    text?: string;
    evalue?: string;
    data?: Record<string, unknown>;
  }[];
}

const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/**
 * Where Chromium or Chrome is: `$CHROME_PATH`, else the first on the `PATH`.
 *
 * @throws Error if there is none.
 */
export function findChromium(): string {
  const given = process.env.CHROME_PATH;
  const folders = (process.env.PATH ?? "").split(delimiter);
  const candidates = given ? [given] : names.flatMap((name) => folders.map((folder) => join(folder, name)));
  const found = candidates.find((file) => existsSync(file) && isExecutable(file));
  if (found === undefined) {
    throw new Error(
      given
        ? `CHROME_PATH is ${given}, where no program is: correct or unset it.`
        : `None of ${names.join(", ")} is on the PATH: install Chromium, or set CHROME_PATH.`,
    );
  }
  return found;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Starts a headless browser that asks for nothing by itself; the caller closes it. */
export async function startBrowser(): Promise<Browser> {
  const quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync"];
  const plain = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage"];
  // Chromium's sandbox does not work for root, which is who containers run as.
  const asRoot = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  return chromium.launch({
    executablePath: findChromium(),
    headless: true,
    args: [...quiet, ...plain, ...asRoot],
  });
}

/**
 * Opens a notebook, named relative to the lab's root, and waits until its kernel is ready, or is heard to be busy with
 * what an earlier page asked for.
 */
export async function openNotebook(
  browser: Browser,
  lab: Lab,
  notebook: string,
  status: "idle" | "busy" = "idle",
): Promise<LabPage> {
  const page = await browser.newPage({ viewport: { width: 1280, height: 1000 } });
  page.setDefaultTimeout(300_000);
  const complaints: string[] = [];
  const foreignRequests: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(`${message.text()} (${message.location().url})`);
  });
  page.on("pageerror", (error) => complaints.push(String(error.stack ?? error)));
  page.on("request", (request) => {
    const { protocol, host } = new URL(request.url());
    if (protocol.startsWith("http") && host !== `127.0.0.1:${lab.port}`) foreignRequests.push(request.url());
  });
  await page.goto(`${lab.url}lab/tree/${notebook}?token=${lab.token}&reset`);
  await page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-CodeCell").first().waitFor();
  await page.waitForFunction(
    `jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.status === "${status}"`,
  );
  return { page, complaints, foreignRequests };
}

/** Runs all cells of the open notebook, and returns the code cells' results when the last one is done. */
export async function runAllCells({ page }: LabPage): Promise<CellResult[]> {
  await page.evaluate("jupyterapp.commands.execute('notebook:run-all-cells')");
  return readResults(page);
}

/**
 * Runs the cell at this position (from 0) of the open notebook, and waits until it is done.
 *
 * @throws Error with the cell's error, if it ends with one.
 */
export async function runCell({ page }: LabPage, position: number): Promise<void> {
  const failure = await page.evaluate<string | null>(`(async () => {
    const { content } = jupyterapp.shell.currentWidget;
    content.activeCellIndex = ${position};
    content.deselectAll();
    await jupyterapp.commands.execute("notebook:run-cell");
    const { outputs = [] } = content.widgets[${position}].model.toJSON();
    return outputs.find((output) => output.output_type === "error")?.evalue ?? null;
  })()`);
  if (failure !== null) throw new Error(`Cell ${position} failed: ${failure}`);
}

/** What the code cells of the open notebook show. */
export async function readResults(page: Page): Promise<CellResult[]> {
  return page.evaluate<CellResult[]>(`
    jupyterapp.shell.currentWidget.content.model.toJSON().cells
      .filter((cell) => cell.cell_type === "code")
      .map((cell) => ({ executionCount: cell.execution_count, outputs: cell.outputs }))
  `);
}

/** Clicks a button of the open notebook's toolbar. */
export async function clickToolbar({ page }: LabPage, button: "interrupt" | "restart"): Promise<void> {
  const toolbar = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-NotebookPanel-toolbar");
  await toolbar.locator(`[data-jp-item-name="${button}"]`).click();
}

/** Restarts the open notebook's kernel with the toolbar's button, and waits until it is ready again. */
export async function restartKernel(lost: LabPage): Promise<void> {
  await clickToolbar(lost, "restart");
  await lost.page.locator(".jp-Dialog .jp-mod-accept").click();
  await lost.page.waitForFunction(`(() => {
    const { kernel } = jupyterapp.shell.currentWidget.sessionContext.session;
    return kernel.status === "idle" && kernel.connectionStatus === "connected";
  })()`);
}

/** Replaces the first line that holds this text in the cell at this position, by the keyboard. */
export async function typeLine(
  { page }: LabPage,
  position: number,
  holds: string,
  line: string,
): Promise<void> {
  const cell = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Notebook .jp-Cell").nth(position);
  await cell.locator(".cm-line", { hasText: holds }).first().click();
  await page.keyboard.press("Home");
  await page.keyboard.press("Shift+End");
  await page.keyboard.insertText(line);
}

/** Switches JupyterLab's theme, and waits until the page shows it. */
export async function switchTheme({ page }: LabPage, theme: "light" | "dark"): Promise<void> {
  const name = theme === "light" ? "JupyterLab Light" : "JupyterLab Dark";
  await page.evaluate(`jupyterapp.commands.execute("apputils:change-theme", { theme: "${name}" })`);
  await page.locator(`body[data-jp-theme-light="${theme === "light"}"]`).waitFor({ state: "attached" });
  // JupyterLab's curtain stays a moment longer, and a second one over it is an error in its console.
  await page.locator("#jupyterlab-splash").waitFor({ state: "detached" });
}

/** A picture of the cell at this position with its output, or of the whole window; returns the file's name. */
export async function screenshot({ page }: LabPage, file: string, position?: number): Promise<string> {
  if (position === undefined) {
    await page.screenshot({ path: file });
  } else {
    const cell = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Notebook .jp-Cell").nth(position);
    await cell.scrollIntoViewIfNeeded();
    await cell.screenshot({ path: file });
  }
  return file;
}

/** Saves the open notebook, and waits until it is on disk. */
export async function saveNotebook({ page }: LabPage): Promise<void> {
  await page.evaluate("jupyterapp.shell.currentWidget.context.save()");
}

/** Whether the open notebook differs from its file. */
export async function isChanged({ page }: LabPage): Promise<boolean> {
  return page.evaluate<boolean>("jupyterapp.shell.currentWidget.context.model.dirty");
}

/** Ends the open notebook's kernel. */
export async function endKernel({ page }: LabPage): Promise<void> {
  await page.evaluate("jupyterapp.shell.currentWidget.sessionContext.shutdown()");
}
