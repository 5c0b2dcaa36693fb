/**
 * A figure's sliders for the keyboard and for screen readers: Plotly draws them as shapes that only a pointer moves. Beside
 * each lies a native one, to be seen while it has the focus.
 */

const sliderClass = "figure-slider";
/** What a step may ask Plotly for. */
const methods = ["restyle", "relayout", "update", "animate"];

/** What is shown of a text that may hold Plotly's few tags; nothing in it runs. */
const shownText = (text) => new DOMParser().parseFromString(String(text ?? ""), "text/html").body.textContent;

function moveTo(input, { steps, currentvalue = {} }, index) {
  input.value = String(index);
  input.setAttribute(
    "aria-valuetext",
    shownText(`${currentvalue.prefix ?? ""}${steps[index]?.label ?? index}`),
  );
}

function makeSlider(plot, plotly, number) {
  const input = document.createElement("input");
  input.type = "range";
  input.className = sliderClass;
  input.style.cssText =
    "position: absolute; left: 64px; bottom: 4px; width: 60%; opacity: 0; pointer-events: none;";
  input.addEventListener("focus", () => {
    input.style.opacity = "1";
  });
  input.addEventListener("blur", () => {
    input.style.opacity = "0";
  });
  // JupyterLab takes keys for commands that are not meant for it.
  input.addEventListener("keydown", (event) => event.stopPropagation());
  input.addEventListener("input", async () => {
    const slider = plot._fullLayout.sliders[number];
    const index = Number(input.value);
    const { method, args } = slider.steps[index];
    moveTo(input, slider, index);
    if (methods.includes(method)) await plotly[method](plot, ...args);
    await plotly.relayout(plot, { [`sliders[${number}].active`]: index });
  });
  return input;
}

/**
 * Gives a drawn figure's sliders their native twins; called after each drawing.
 *
 * @param place - Element that holds the plot, positioned; the twins are put at its end.
 */
export function offerSliders(place, plot, plotly) {
  const sliders = (plot._fullLayout?.sliders ?? []).filter(({ visible }) => visible);
  let inputs = [...place.querySelectorAll(`:scope > .${sliderClass}`)];
  if (inputs.length !== sliders.length) {
    for (const input of inputs) input.remove();
    inputs = sliders.map((_, number) => makeSlider(plot, plotly, number));
    for (const input of inputs) place.append(input);
    // Moved by a pointer, the drawn one takes its twin along.
    plot.removeAllListeners?.("plotly_sliderchange");
    plot.on("plotly_sliderchange", ({ slider, step }) => {
      const number = plot._fullLayout.sliders.findIndex(({ _index }) => _index === slider._index);
      if (inputs[number] !== undefined) moveTo(inputs[number], slider, step._index);
    });
  }
  for (const [number, slider] of sliders.entries()) {
    inputs[number].max = String(slider.steps.length - 1);
    inputs[number].setAttribute("aria-label", shownText(slider.currentvalue?.prefix).trim() || "slider");
    moveTo(inputs[number], slider, slider.active);
  }
}
