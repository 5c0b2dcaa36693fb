"use strict";

/**
 * What cells send on iopub: gathered within one turn of the event loop, so that a thousand printed lines are one
 * message and a picture that is replaced five hundred times is drawn once.
 *
 * tslab sends a message for each write, and its socket refuses, silently, whatever comes while it is busy; after some
 * 500 lines nothing more arrived, the cell's value neither. See `freeSocket` for the other half.
 */

/** A cell that never lets the event loop turn is still followed: what waits is sent this often. */
const LONGEST_WAIT_MS = 100;

/** What a cell prints before it is busy for long is seen at once: the first writes of a turn are not gathered. */
const WRITES_AT_ONCE = 20;

class Outgoing {
  #send;
  /** @type {{ type: string, content: any, parent: object }[]} */
  #waiting = [];
  #scheduled = false;
  #sentAtMs = 0;
  #writes = 0;

  /** @param {(type: string, content: object, parent: object) => void} send - At once. */
  constructor(send) {
    this.#send = send;
  }

  /** Sends a message after those that wait, or lets it become part of one of them. */
  add(type, content, parent) {
    if (!this.#joinStream(type, content, parent) && !this.#replaceUpdate(type, content, parent)) {
      this.#waiting.push({ type, content, parent });
    }
    if (!this.#scheduled) {
      this.#scheduled = true;
      setImmediate(() => this.#endTurn());
    }
    const isEarly = type === "stream" && ++this.#writes <= WRITES_AT_ONCE;
    if (isEarly || Date.now() - this.#sentAtMs >= LONGEST_WAIT_MS) this.flush();
  }

  flush() {
    this.#sentAtMs = Date.now();
    const messages = this.#waiting;
    this.#waiting = [];
    for (const { type, content, parent } of messages) this.#send(type, content, parent);
  }

  #endTurn() {
    this.#scheduled = false;
    this.#writes = 0;
    this.flush();
  }

  #joinStream(type, { name, text }, parent) {
    const last = this.#waiting.at(-1);
    if (type !== "stream" || last?.type !== "stream") return false;
    if (last.content.name !== name || last.parent !== parent) return false;
    last.content = { name, text: last.content.text + text };
    return true;
  }

  /** Of updates of one display, whoever sees the last one has missed nothing. */
  #replaceUpdate(type, content, parent) {
    const id = content.transient?.display_id;
    if (type !== "update_display_data" || id === undefined) return false;
    const earlier = this.#waiting.find(
      (one) => one.type === type && one.parent === parent && one.content.transient?.display_id === id,
    );
    if (earlier === undefined) return false;
    earlier.content = content;
    return true;
  }
}

/**
 * Lets a publishing socket take whatever it is given, at once: it neither waits for the event loop nor drops.
 *
 * @param socket - ZeroMQ's, not bound yet.
 */
function freeSocket(socket) {
  socket.sendTimeout = 0;
  socket.sendHighWaterMark = 0;
}

module.exports = { Outgoing, freeSocket };
