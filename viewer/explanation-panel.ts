import type { ViewerAbout } from "../src/export/about-export";
import { viridis } from "../src/views/display/colour-map";
import { heatLegend } from "../src/views/display/heat-blend";
import type { Explanation } from "./messages";
import { byId, fill, make, percent } from "./page";
import type { WorkImage } from "./work";

/** Shows where in an image the classifier sees a class. */
export interface ExplanationPanel {
  open(image: WorkImage): void;
  show(id: number, explanation: Explanation): void;
  fail(id: number, reason: string): void;
}

function drawOn(canvas: HTMLCanvasElement, rgba: Uint8ClampedArray, width: number, height: number): void {
  canvas.width = width;
  canvas.height = height;
  const pixels = new ImageData(Uint8ClampedArray.from(rgba), width, height);
  canvas.getContext("2d")!.putImageData(pixels, 0, 0);
}

function drawLegend(): void {
  const bar = byId<HTMLCanvasElement>("legend-bar");
  const context = bar.getContext("2d")!;
  for (let x = 0; x < bar.width; x++) {
    context.fillStyle = `rgb(${viridis(x / (bar.width - 1))
      .map(Math.round)
      .join(" ")})`;
    context.fillRect(x, 0, 1, bar.height);
  }
  byId("legend-least").textContent = heatLegend.least;
  byId("legend-most").textContent = heatLegend.most;
}

/**
 * @param ask - Called for an explanation; `show` or `fail` is to follow.
 * @param neighbourOf - The image before (−1) or after (1) one in the work list.
 */
export function createExplanationPanel(
  about: ViewerAbout,
  ask: (image: WorkImage, classIndex: number) => void,
  neighbourOf: (image: WorkImage, step: -1 | 1) => WorkImage | null,
): ExplanationPanel {
  const dialog = byId<HTMLDialogElement>("explanation");
  const select = byId<HTMLSelectElement>("explanation-class");
  const picture = byId<HTMLCanvasElement>("explanation-picture");
  const overlay = byId<HTMLCanvasElement>("explanation-overlay");
  const text = byId("explanation-text");
  const [previous, next] = [
    byId<HTMLButtonElement>("explanation-previous"),
    byId<HTMLButtonElement>("explanation-next"),
  ];
  let current: WorkImage | null = null;

  fill(
    select,
    about.classes.map((name, i) => {
      const option = make("option", { text: name });
      option.value = String(i);
      return option;
    }),
  );
  if (about.positiveClass !== null) select.value = String(about.positiveClass);
  drawLegend();

  function request(image: WorkImage): void {
    current = image;
    byId("explanation-title").textContent = image.path;
    text.textContent = "Looking …";
    for (const canvas of [picture, overlay])
      canvas.getContext("2d")!.clearRect(0, 0, canvas.width, canvas.height);
    previous.disabled = neighbourOf(image, -1) === null;
    next.disabled = neighbourOf(image, 1) === null;
    ask(image, Number(select.value));
  }

  function go(step: -1 | 1): void {
    const other = current === null ? null : neighbourOf(current, step);
    if (other === null) return;
    request(other);
    // A button that is no longer to be pressed would lose the focus to nowhere.
    if (document.activeElement === document.body) byId("explanation-title").focus();
  }

  previous.addEventListener("click", () => go(-1));
  next.addEventListener("click", () => go(1));
  select.addEventListener("change", () => current !== null && request(current));
  byId("explanation-close").addEventListener("click", () => dialog.close());
  dialog.addEventListener("keydown", (event) => {
    if (event.target === select) return;
    if (event.key === "ArrowLeft") go(-1);
    if (event.key === "ArrowRight") go(1);
  });

  return {
    open(image) {
      request(image);
      dialog.showModal();
      byId("explanation-title").focus();
    },
    show(id, { picture: plain, overlay: heated, width, height, classIndex, map }) {
      if (current?.id !== id || Number(select.value) !== classIndex) return;
      drawOn(picture, plain, width, height);
      drawOn(overlay, heated, width, height);
      const name = about.classes[classIndex]!;
      overlay.setAttribute("aria-label", `Heat map of what speaks for ${name}`);
      overlay.dataset["map"] = JSON.stringify(map);
      const nothing = map.values.every((value) => value === 0);
      const probability = percent(current.probabilities![classIndex]!);
      text.textContent = nothing
        ? `Probability of ${name}: ${probability}. Nothing in it speaks for ${name}.`
        : `Probability of ${name}: ${probability}.`;
    },
    fail(id, reason) {
      if (current?.id === id) text.textContent = `This image can't be shown: ${reason}.`;
    },
  };
}
