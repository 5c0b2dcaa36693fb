/**
 * Makes the tables of notebook outputs sortable: each heading becomes a button. Elsewhere (nbconvert, code hosts) and
 * in a JupyterLab without this extension the same table is there, in the order in which it was made.
 */

/** The class that `src/views/display/table-html.ts` gives its tables. */
const tableClass = "breakhis-table";
const buttonClass = "breakhis-sort";

const buttonStyle = `
.${buttonClass} {
  all: unset; cursor: pointer; font: inherit;
}
.${buttonClass}:hover { text-decoration: underline; }
.${buttonClass}:focus-visible { outline: 2px solid var(--jp-brand-color1, Highlight); outline-offset: 2px; }
/* After a space, so that the mark makes no column wider: it may stand on a line of its own. */
.${buttonClass}::after { content: " ↕"; opacity: 0.45; }
[aria-sort="ascending"] > .${buttonClass}::after { content: " ↑"; opacity: 1; }
[aria-sort="descending"] > .${buttonClass}::after { content: " ↓"; opacity: 1; }
`;

/** Watches a page for tables, whenever and wherever they appear; called once a page. */
export function watchTables(document) {
  const style = document.createElement("style");
  style.textContent = buttonStyle;
  document.head.append(style);
  const tables = document.getElementsByClassName(tableClass);
  const known = new WeakSet();
  let scheduled = false;
  const look = () => {
    scheduled = false;
    for (const table of tables) {
      if (known.has(table)) continue;
      known.add(table);
      makeSortable(table);
    }
  };
  new MutationObserver(() => {
    if (!scheduled) requestAnimationFrame(look);
    scheduled = true;
  }).observe(document.body, { childList: true, subtree: true });
  listenToKeys(document.defaultView);
}

/** JupyterLab takes Enter for itself before any button hears of it, except here. */
function listenToKeys(window) {
  const listener = (event) => {
    const button = event.target instanceof Element ? event.target.closest(`.${buttonClass}`) : null;
    if (button === null || (event.key !== "Enter" && event.key !== " ")) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (!event.repeat) button.click();
  };
  window.addEventListener("keydown", listener, true);
}

function makeSortable(table) {
  const body = table.tBodies[0];
  if (body === undefined || body.rows.length < 2) return;
  const rows = [...body.rows];
  const headings = [...(table.tHead?.rows[0]?.cells ?? [])];
  for (const [column, heading] of headings.entries()) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = buttonClass;
    while (heading.firstChild !== null) button.append(heading.firstChild);
    heading.append(button);
    button.addEventListener("click", () => {
      const texts = rows.map((row) => row.cells[column]?.textContent ?? "");
      const direction = nextDirection(heading.getAttribute("aria-sort"), texts);
      for (const other of headings) other.removeAttribute("aria-sort");
      if (direction !== null) heading.setAttribute("aria-sort", direction);
      for (const row of orderRows(texts, direction)) body.append(rows[row]);
    });
  }
}

/** Clicked again, a column turns round, then the table gets its first order back. Numbers begin with the largest. */
export function nextDirection(present, texts) {
  const first = numbersIn(texts) === null ? "ascending" : "descending";
  const second = first === "ascending" ? "descending" : "ascending";
  if (present === first) return second;
  return present === second ? null : first;
}

/**
 * Sorts a column.
 *
 * @param texts - What its cells show, row by row; a dash is an unknown value and comes last either way.
 * @param direction - "ascending" or "descending"; null for the order they are in.
 * @returns Positions in `texts`, in their new order; equal ones keep theirs.
 */
export function orderRows(texts, direction) {
  const positions = texts.map((_, position) => position);
  if (direction === null) return positions;
  const numbers = numbersIn(texts);
  const sign = direction === "ascending" ? 1 : -1;
  const compare = (a, b) =>
    numbers === null ? texts[a].localeCompare(texts[b], "en", { numeric: true }) : numbers[a] - numbers[b];
  const unknown = (position) => Number(isUnknown(texts[position]));
  return positions.sort((a, b) => unknown(a) - unknown(b) || sign * compare(a, b) || a - b);
}

/** The numbers that a column shows, unknown ones as NaN; null if any cell shows something else. */
function numbersIn(texts) {
  const numbers = texts.map((text) => (isUnknown(text) ? Number.NaN : Number(readable(text))));
  const known = texts.some((text) => !isUnknown(text));
  return known && numbers.every((number, i) => isUnknown(texts[i]) || !Number.isNaN(number)) ? numbers : null;
}

/** 1,234 and 88.5 % as JavaScript reads numbers. */
const readable = (text) => text.trim().replaceAll(",", "").replace(/\s*%$/, "").replace("−", "-");

const isUnknown = (text) => text.trim() === "" || text.trim() === "–";
