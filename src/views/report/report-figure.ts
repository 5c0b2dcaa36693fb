import type { PlainFigure } from "../analysis/analysis";
import { figureName, figureTableHtml } from "../display/figure-table";
import { escapeHtml, jsonForScript } from "../display/html";

/**
 * A figure as HTML: its numbers as a table, which the page's script replaces with the picture.
 *
 * @param id - Letters, digits and hyphens; unique within the page.
 * @param table - By default made of the figure's own numbers.
 */
export function figureHtml(
  figure: unknown,
  id: string,
  table: string = figureTableHtml(figure as PlainFigure),
): string {
  const name = figureName(figure as PlainFigure);
  return (
    `<div class="output"><div class="plotly-figure" data-figure="${escapeHtml(id)}" aria-label="${escapeHtml(name)}">${table}</div></div>` +
    `<script type="application/json" id="${escapeHtml(id)}">${jsonForScript(figure)}</script>`
  );
}
