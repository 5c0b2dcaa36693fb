"use strict";

/**
 * What cells have shown, for pages that come later: a page that is closed in the middle of a training takes the cell's
 * output with it, and Jupyter sends a message once.
 *
 * A page opens a comm with the target below and gets the cells that run, or ended while nobody looked, with their
 * output as it is now (`jupyter/plotly-renderer/static/reopened-cells.js`). Whoever has seen a cell's end says so, and it
 * is forgotten here: from then on the notebook's file is the truth.
 */

/** As the front end names it. */
const TARGET = "breakhis-lab.kept-outputs";

/** Characters of printed text that are kept of one stretch of output; what comes before them is left out, and that is said. */
const TEXT_LIMIT = 200_000;
const CUT = "[… what was printed before this is not kept for pages that are opened later]\n";

/**
 * @typedef {object} KeptCell
 * @property {string} cellId - The notebook's name for it.
 * @property {string} request - The id of the message that asked for it to be run.
 * @property {string} session - Of the page that asked.
 * @property {boolean} running - Or waiting to run.
 * @property {number | null} executionCount - Known when it has ended.
 * @property {any[]} outputs - As a notebook's file has them.
 */

class KeptOutputs {
  /** @type {Map<string, KeptCell>} By request. */
  #cells = new Map();
  /** The display that an output is. */
  #displays = new WeakMap();

  /** Called when a cell is to run; only notebooks name their cells. */
  begin({ header, metadata }) {
    const { cellId } = metadata;
    if (typeof cellId !== "string") return;
    // What an earlier run of the cell showed is gone, as on the page.
    for (const cell of this.#cells.values()) if (cell.cellId === cellId) this.#cells.delete(cell.request);
    this.#cells.set(header.msg_id, {
      cellId,
      request: header.msg_id,
      session: header.session,
      running: true,
      executionCount: null,
      outputs: [],
    });
  }

  /** Takes a message that goes to the pages. */
  note(type, content, parent) {
    if (type === "update_display_data") return this.#update(content);
    const cell = this.#cells.get(parent.header.msg_id);
    if (cell === undefined) return;
    if (type === "stream") return print(cell.outputs, content);
    if (!["display_data", "execute_result", "error"].includes(type)) return;
    const { transient, ...shown } = content;
    const output = { output_type: type, ...shown };
    this.#displays.set(output, transient?.display_id);
    cell.outputs.push(output);
  }

  #update({ data, metadata, transient }) {
    const id = transient?.display_id;
    if (id === undefined) return;
    const outputs = [...this.#cells.values()].flatMap((cell) => cell.outputs);
    for (const output of outputs) {
      if (this.#displays.get(output) === id) Object.assign(output, { data, metadata });
    }
  }

  /** Called when a cell has ended, or will not run. */
  end({ header }, executionCount) {
    const cell = this.#cells.get(header.msg_id);
    if (cell !== undefined) Object.assign(cell, { running: false, executionCount: executionCount ?? null });
  }

  /**
   * What a page's comm message is answered with.
   *
   * @param type - `comm_open`, `comm_msg` or `comm_close`.
   * @returns The answer's content, or null where there is none.
   */
  answer(type, content) {
    if (type === "comm_open" && content.target_name === TARGET) {
      return { comm_id: content.comm_id, data: { cells: [...this.#cells.values()] } };
    }
    const seen = type === "comm_msg" ? content.data?.seen : undefined;
    if (this.#cells.get(seen)?.running === false) this.#cells.delete(seen);
    return null;
  }
}

function print(outputs, { name, text }) {
  const last = outputs.at(-1);
  const goesOn = last?.output_type === "stream" && last.name === name;
  const stream = goesOn ? last : { output_type: "stream", name, text: "" };
  if (!goesOn) outputs.push(stream);
  stream.text += text;
  if (stream.text.length > 2 * TEXT_LIMIT) stream.text = CUT + stream.text.slice(-TEXT_LIMIT);
}

module.exports = { KeptOutputs };
