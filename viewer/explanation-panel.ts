import type { ViewerAbout } from "../src/export/about-export";
import { viridis } from "../src/views/display/colour-map";
import { heatLegend } from "../src/views/display/heat-blend";
import type { Explanation } from "./messages";
import { byId, fill, make, percent } from "./page";
import type { WorkImage } from "./work";

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

/** Shows where in an image the classifier sees a class. */
export class ExplanationPanel {
  private readonly dialog = byId<HTMLDialogElement>("explanation");
  private readonly title = byId("explanation-title");
  private readonly select = byId<HTMLSelectElement>("explanation-class");
  private readonly picture = byId<HTMLCanvasElement>("explanation-picture");
  private readonly overlay = byId<HTMLCanvasElement>("explanation-overlay");
  private readonly text = byId("explanation-text");
  private readonly previous = byId<HTMLButtonElement>("explanation-previous");
  private readonly next = byId<HTMLButtonElement>("explanation-next");
  private current: WorkImage | null = null;

  /**
   * @param ask - Called for an explanation; `show` or `fail` is to follow.
   * @param neighbourOf - The image before (−1) or after (1) one in the work list.
   */
  constructor(
    private readonly about: ViewerAbout,
    private readonly ask: (image: WorkImage, classIndex: number) => void,
    private readonly neighbourOf: (image: WorkImage, step: -1 | 1) => WorkImage | null,
  ) {
    this.offerClasses();
    drawLegend();
    this.listen();
  }

  open(image: WorkImage): void {
    this.request(image);
    this.dialog.showModal();
    this.title.focus();
  }

  show(id: number, { picture, overlay, width, height, classIndex, map }: Explanation): void {
    if (this.current?.id !== id || Number(this.select.value) !== classIndex) return;
    drawOn(this.picture, picture, width, height);
    drawOn(this.overlay, overlay, width, height);
    const name = this.about.classes[classIndex]!;
    this.overlay.setAttribute("aria-label", `Heat map of what speaks for ${name}`);
    this.overlay.dataset["map"] = JSON.stringify(map);
    const nothing = map.values.every((value) => value === 0);
    const probability = percent(this.current.probabilities![classIndex]!);
    this.text.textContent = nothing
      ? `Probability of ${name}: ${probability}. Nothing in it speaks for ${name}.`
      : `Probability of ${name}: ${probability}.`;
  }

  fail(id: number, reason: string): void {
    if (this.current?.id === id) this.text.textContent = `This image can't be shown: ${reason}.`;
  }

  private offerClasses(): void {
    const { classes, positiveClass } = this.about;
    const options = classes.map((name, i) => {
      const option = make("option", { text: name });
      option.value = String(i);
      return option;
    });
    fill(this.select, options);
    if (positiveClass !== null) this.select.value = String(positiveClass);
  }

  private listen(): void {
    this.previous.addEventListener("click", () => this.go(-1));
    this.next.addEventListener("click", () => this.go(1));
    this.select.addEventListener("change", () => this.current !== null && this.request(this.current));
    byId("explanation-close").addEventListener("click", () => this.dialog.close());
    this.dialog.addEventListener("keydown", (event) => {
      if (event.target === this.select) return;
      if (event.key === "ArrowLeft") this.go(-1);
      if (event.key === "ArrowRight") this.go(1);
    });
  }

  private request(image: WorkImage): void {
    this.current = image;
    this.title.textContent = image.path;
    this.text.textContent = "Looking …";
    for (const canvas of [this.picture, this.overlay])
      canvas.getContext("2d")!.clearRect(0, 0, canvas.width, canvas.height);
    this.previous.disabled = this.neighbourOf(image, -1) === null;
    this.next.disabled = this.neighbourOf(image, 1) === null;
    this.ask(image, Number(this.select.value));
  }

  private go(step: -1 | 1): void {
    const other = this.current === null ? null : this.neighbourOf(this.current, step);
    if (other === null) return;
    this.request(other);
    // A button that is no longer to be pressed would lose the focus to nowhere.
    if (document.activeElement === document.body) this.title.focus();
  }
}
