import { tumourClassesOf } from "../src/data/layouts/class-names";
import type { ViewerAbout } from "../src/export/about-export";
import { byId, fill, make, percent } from "./page";
import { isTriage, type ListedImage, type WorkGroup, type WorkImage } from "./work";

/** Rows of a group that are shown at first, and with each press of the button. */
const pageRows = 100;

function headRow(about: ViewerAbout): HTMLElement {
  const probability = isTriage(about)
    ? `probability of ${about.classes[about.positiveClass!]}`
    : "probability of the answer";
  const columns = [
    ["rank", "rank"],
    ["picture", "image"],
    ["probability", probability],
    ["answer", "answer"],
    ...(followsFromSubtypes(about) ? [["malignant", "malignant"]] : []),
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

/** Whether benign or malignant follows from the answer. */
const followsFromSubtypes = ({ classes }: ViewerAbout) => tumourClassesOf(classes) !== null;

/** The file's name to be pressed, and in which ways its image is unlike the training images. */
function fileCell(button: HTMLElement, unlike: readonly string[]): HTMLElement {
  const ways = unlike.map((text) => make("li", { text }));
  const warnings = ways.length === 0 ? [] : [make("ul", { class: "warnings", children: ways })];
  return make("td", { class: "file", children: [button, ...warnings] });
}

function probabilityCell(probability: number, name: string): HTMLElement {
  const meter = make("meter");
  meter.value = probability;
  meter.setAttribute("aria-label", name);
  return make("td", { children: [make("span", { text: percent(probability) }), meter] });
}

/** Shows groups of images as tables, and keeps the place of whoever is in them. */
export class ListPanel {
  private readonly place = byId("groups");
  private readonly buttons = new Map<number, HTMLButtonElement>();
  private readonly pictures = new Map<number, HTMLImageElement>();
  /** How many rows of each group are shown, where more were asked for. */
  private limits: number[] = [];
  private groups: readonly WorkGroup[] = [];

  /** @param open - Called with the image that somebody wants explained. */
  constructor(
    private readonly about: ViewerAbout,
    private readonly open: (image: WorkImage) => void,
  ) {}

  show(groups: readonly WorkGroup[]): void {
    this.groups = groups;
    const focused = document.activeElement;
    fill(
      this.place,
      groups.map((group, index) => this.section(group, index)),
    );
    // Rows move while images come in; whoever is at one stays there.
    if (
      focused instanceof HTMLElement &&
      focused !== document.activeElement &&
      this.place.contains(focused)
    ) {
      focused.focus({ preventScroll: true });
    }
  }

  /** Shows every row until `restore`, as for paper. */
  showAll(): void {
    const before = this.limits;
    this.limits = this.groups.map(({ rows }) => rows.length);
    this.show(this.groups);
    this.restore = () => {
      this.limits = before;
      this.show(this.groups);
    };
  }

  /** Ends what `showAll` began. */
  restore: () => void = () => undefined;

  forget(): void {
    this.buttons.clear();
    this.pictures.clear();
    this.limits = [];
    this.place.replaceChildren();
  }

  private section(group: WorkGroup, index: number): HTMLElement {
    const limit = this.limits[index] ?? pageRows;
    const heading = make("h3", { text: `${group.name} (${group.rows.length})` });
    heading.id = `group-${index}`;
    const parts: HTMLElement[] = [heading, make("p", { text: group.explained, class: "explained" })];
    if (group.rows.length > 0) {
      const rows = group.rows.slice(0, limit).map((listed) => this.row(listed));
      const table = make("table", { children: [headRow(this.about), make("tbody", { children: rows })] });
      table.setAttribute("aria-labelledby", heading.id);
      parts.push(table);
    }
    if (group.rows.length > limit) parts.push(this.moreButton(group, index, limit));
    const whole = make("section", { class: group.kind ?? "", children: parts });
    whole.setAttribute("aria-labelledby", heading.id);
    return whole;
  }

  private row({ image, rank, probability, malignant, predicted }: ListedImage): HTMLElement {
    const follows = malignant === null ? [] : [make("td", { text: percent(malignant), class: "malignant" })];
    return make("tr", {
      children: [
        make("td", { text: String(rank), class: "rank" }),
        make("td", { class: "picture", children: [this.pictureOf(image)] }),
        probabilityCell(probability, "probability"),
        make("td", { text: this.about.classes[predicted]!, class: "answer" }),
        ...follows,
        make("td", { text: image.patient ?? "unknown", class: "patient" }),
        fileCell(this.buttonOf(image), image.unlike),
      ],
    });
  }

  /** Shows the next rows when pressed, and leads on to the first of them. */
  private moreButton({ rows }: WorkGroup, index: number, limit: number): HTMLButtonElement {
    const rest = rows.length - limit;
    const more = make("button", { text: `Show ${Math.min(rest, pageRows)} more of ${rest}` });
    more.type = "button";
    more.addEventListener("click", () => {
      this.limits[index] = limit + pageRows;
      const next = rows[limit]!;
      this.show(this.groups);
      this.buttonOf(next.image).focus();
    });
    return more;
  }

  private buttonOf(image: WorkImage): HTMLButtonElement {
    const kept = this.buttons.get(image.id);
    if (kept !== undefined) return kept;
    const button = make("button", { text: image.path });
    button.type = "button";
    button.setAttribute("aria-haspopup", "dialog");
    button.addEventListener("click", () => this.open(image));
    this.buttons.set(image.id, button);
    return button;
  }

  private pictureOf({ id, thumbnail }: WorkImage): HTMLImageElement {
    const kept = this.pictures.get(id);
    if (kept !== undefined) return kept;
    const picture = make("img");
    // The file's name stands beside it; what is seen on it nobody has said.
    picture.alt = "";
    picture.loading = "lazy";
    if (thumbnail !== null) picture.src = thumbnail;
    this.pictures.set(id, picture);
    return picture;
  }
}
