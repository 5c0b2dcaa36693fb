/** An element of the page by its id. */
export function byId<T extends HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`The page has no element "${id}".`);
  return found as T;
}

/** Makes an element; what it says is text, never markup. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  options: { text?: string; class?: string; children?: (Node | string)[] } = {},
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  if (options.text !== undefined) element.textContent = options.text;
  if (options.class !== undefined) element.className = options.class;
  for (const child of options.children ?? []) element.append(child);
  return element;
}

export const countOf = (count: number, thing: string) => `${count} ${thing}${count === 1 ? "" : "s"}`;

/** A share as people read it. */
export const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

/** Puts children in place of what an element holds, however many they are. */
export function fill(element: HTMLElement, children: Iterable<Node>): void {
  const together = document.createDocumentFragment();
  for (const child of children) together.append(child);
  element.replaceChildren(together);
}
