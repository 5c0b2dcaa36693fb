import type { ViewerAbout } from "../src/export/about-export";
import { byId, fill, make, percent } from "./page";
import { isTriage, type ListedImage, type WorkGroup, type WorkImage } from "./work";

/** Rows of a group that are shown at first, and with each press of the button. */
const pageRows = 100;

/** Shows groups of images as tables, and keeps the place of whoever is in them. */
export interface ListPanel {
  show(groups: readonly WorkGroup[]): void;
  forget(): void;
}

function headRow(about: ViewerAbout): HTMLElement {
  const probability = isTriage(about)
    ? `probability of ${about.classes[about.positiveClass!]}`
    : "probability of the answer";
  const columns = [
    ["rank", "rank"],
    ["picture", "image"],
    ["probability", probability],
    ["answer", "answer"],
    ["patient", "patient"],
    ["file", "file"],
  ];
  const cells = columns.map(([name = "", text = ""]) => {
    const cell = make("th", { text, class: name });
    cell.scope = "col";
    return cell;
  });
  return make("thead", { children: [make("tr", { children: cells })] });
}

function probabilityCell(probability: number, name: string): HTMLElement {
  const meter = make("meter");
  meter.value = probability;
  meter.setAttribute("aria-label", name);
  return make("td", { children: [make("span", { text: percent(probability) }), meter] });
}

/**
 * @param open - Called with the image that somebody wants explained.
 */
export function createListPanel(about: ViewerAbout, open: (image: WorkImage) => void): ListPanel {
  const place = byId("groups");
  const buttons = new Map<number, HTMLButtonElement>();
  const pictures = new Map<number, HTMLImageElement>();
  let limits: number[] = [];
  let shown: readonly WorkGroup[] = [];

  function buttonOf(image: WorkImage): HTMLButtonElement {
    const kept = buttons.get(image.id);
    if (kept !== undefined) return kept;
    const button = make("button", { text: image.path });
    button.type = "button";
    button.setAttribute("aria-haspopup", "dialog");
    button.addEventListener("click", () => open(image));
    buttons.set(image.id, button);
    return button;
  }

  function pictureOf({ id, thumbnail }: WorkImage): HTMLImageElement {
    const kept = pictures.get(id);
    if (kept !== undefined) return kept;
    const picture = make("img");
    // The file's name stands beside it; what is seen on it nobody has said.
    picture.alt = "";
    picture.loading = "lazy";
    if (thumbnail !== null) picture.src = thumbnail;
    pictures.set(id, picture);
    return picture;
  }

  function row({ image, rank, probability, predicted }: ListedImage): HTMLElement {
    return make("tr", {
      children: [
        make("td", { text: String(rank), class: "rank" }),
        make("td", { class: "picture", children: [pictureOf(image)] }),
        probabilityCell(probability, "probability"),
        make("td", { text: about.classes[predicted]!, class: "answer" }),
        make("td", { text: image.patient ?? "unknown", class: "patient" }),
        make("td", { class: "file", children: [buttonOf(image)] }),
      ],
    });
  }

  function section(group: WorkGroup, index: number): HTMLElement {
    const limit = limits[index] ?? pageRows;
    const heading = make("h3", { text: `${group.name} (${group.rows.length})` });
    heading.id = `group-${index}`;
    const parts: HTMLElement[] = [heading, make("p", { text: group.explained, class: "explained" })];
    if (group.rows.length > 0) {
      const body = make("tbody", { children: group.rows.slice(0, limit).map(row) });
      const table = make("table", { children: [headRow(about), body] });
      table.setAttribute("aria-labelledby", heading.id);
      parts.push(table);
    }
    const rest = group.rows.length - limit;
    if (rest > 0) {
      const more = make("button", { text: `Show ${Math.min(rest, pageRows)} more of ${rest}` });
      more.type = "button";
      more.addEventListener("click", () => {
        limits[index] = limit + pageRows;
        const next = group.rows[limit];
        show(shown);
        if (next !== undefined) buttonOf(next.image).focus();
      });
      parts.push(more);
    }
    const whole = make("section", { class: group.kind ?? "", children: parts });
    whole.setAttribute("aria-labelledby", heading.id);
    return whole;
  }

  function show(groups: readonly WorkGroup[]): void {
    shown = groups;
    const focused = document.activeElement;
    fill(place, groups.map(section));
    // Rows move while images come in; whoever is at one stays there.
    if (focused instanceof HTMLElement && focused !== document.activeElement && place.contains(focused)) {
      focused.focus({ preventScroll: true });
    }
  }

  function forget(): void {
    buttons.clear();
    pictures.clear();
    limits = [];
    place.replaceChildren();
  }

  return { show, forget };
}
