import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { startProgress } from "../../../src/runtime/progress";
import { jupyterDisplay, type MimeBundle } from "../../../src/views/display/display";
import { insideNotebook, liveOutput, show, showProgress } from "../../../src/views/display/notebook";
import { durationText, progressHtml, progressText } from "../../../src/views/display/progress-bar";

interface Sent {
  bundle: MimeBundle;
  id: string;
  update: boolean;
}

const displayKey = Symbol.for("breakhis-lab.display");
const holder = globalThis as unknown as Record<symbol, unknown>;
let sent: Sent[] = [];

/** Stands where the kernel launcher would, and remembers what is sent. */
function pretendKernel(): void {
  holder[displayKey] = (bundle: MimeBundle, id: string, update: boolean) => sent.push({ bundle, id, update });
}

beforeEach(() => {
  sent = [];
  vi.useFakeTimers({ now: 1_000_000 });
});
afterEach(() => {
  delete holder[displayKey];
  vi.useRealTimers();
});

describe("outside the kernel", () => {
  it("everything runs and shows nothing", () => {
    expect(insideNotebook()).toBe(false);
    show("text");
    const live = liveOutput();
    live.update("text");
    live.clear();
    showProgress();
    expect(sent).toEqual([]);
  });
});

describe("show", () => {
  it("sends what values know about their looks, and text as text", () => {
    pretendKernel();
    show({ [jupyterDisplay]: () => ({ "text/html": "<b>1</b>" }) }, "<b>", { a: 1 });
    expect(sent.map(({ bundle }) => bundle)).toEqual([
      { "text/html": "<b>1</b>" },
      { "text/plain": "<b>" },
      { "text/plain": "{ a: 1 }" },
    ]);
    expect(new Set(sent.map(({ id }) => id)).size).toBe(3);
  });
});

describe("liveOutput", () => {
  it("opens one place, then replaces its content", () => {
    pretendKernel();
    const live = liveOutput();
    live.clear();
    live.update("a");
    live.update("b");
    live.clear();
    expect(sent.map(({ update }) => update)).toEqual([false, true, true]);
    expect(new Set(sent.map(({ id }) => id)).size).toBe(1);
    expect(sent.at(-1)?.bundle["text/html"]).toBe("");
  });
});

describe("showProgress", () => {
  it("shows a long step at most twice a second and clears it at its end", () => {
    pretendKernel();
    showProgress();
    const progress = startProgress("Decoding", 100, "images");
    for (let i = 0; i < 20; i += 1) {
      vi.advanceTimersByTime(100);
      progress.advance();
    }
    expect(sent).toHaveLength(4);
    expect(sent[0]?.bundle["text/plain"]).toBe("Decoding: 5 of 100 images, 10 s left");
    progress.finish();
    expect(sent.at(-1)).toMatchObject({ update: true, bundle: { "text/html": "" } });
  });

  it("shows nothing for a short step, and only once however often it was called", () => {
    pretendKernel();
    showProgress();
    showProgress();
    const short = startProgress("Short", 2, "steps");
    short.advance();
    short.finish();
    expect(sent).toEqual([]);
    const long = startProgress("Long", 2, "steps");
    vi.advanceTimersByTime(600);
    long.advance();
    expect(sent).toHaveLength(1);
    long.finish();
  });
});

describe("progress in words", () => {
  const state = { task: "Decoding", unit: "images", done: 5, total: 20, startedAtMs: 0, finished: false };

  it("reckons the time left from the pace so far", () => {
    expect(progressText(state, 10_000)).toBe("Decoding: 5 of 20 images, 30 s left");
    expect(progressText({ ...state, done: 0 }, 10_000)).toBe("Decoding: 0 of 20 images");
    expect(progressText({ ...state, total: 0 }, 10_000)).toBe("Decoding: 5 images");
  });

  it.each([
    [0.4, "0 s"],
    [59.6, "1 min 0 s"],
    [95, "1 min 35 s"],
    [3720, "1 h 2 min"],
  ])("says %d seconds as %s", (seconds, text) => {
    expect(durationText(seconds)).toBe(text);
  });

  it("escapes the task's name", () => {
    expect(progressHtml({ ...state, task: "<img src=x>" }, 1)["text/html"]).not.toContain("<img");
  });
});
