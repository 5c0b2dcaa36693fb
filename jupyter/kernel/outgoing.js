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

/** @param {(type: string, content: object, parent: object) => void} send - At once. */
function createOutgoing(send) {
  /** @type {{ type: string, content: any, parent: object }[]} */
  let waiting = [];
  let scheduled = false;
  let sentAtMs = 0;
  let writes = 0;

  /** Sends a message after those that wait, or lets it become part of one of them. */
  function add(type, content, parent) {
    if (!joinStream(type, content, parent) && !replaceUpdate(type, content, parent)) {
      waiting.push({ type, content, parent });
    }
    if (!scheduled) {
      scheduled = true;
      setImmediate(endTurn);
    }
    const isEarly = type === "stream" && ++writes <= WRITES_AT_ONCE;
    if (isEarly || Date.now() - sentAtMs >= LONGEST_WAIT_MS) flush();
  }

  function endTurn() {
    scheduled = false;
    writes = 0;
    flush();
  }

  function joinStream(type, { name, text }, parent) {
    const last = waiting.at(-1);
    if (type !== "stream" || last?.type !== "stream") return false;
    if (last.content.name !== name || last.parent !== parent) return false;
    last.content = { name, text: last.content.text + text };
    return true;
  }

  /** Of updates of one display, whoever sees the last one has missed nothing. */
  function replaceUpdate(type, content, parent) {
    const id = content.transient?.display_id;
    if (type !== "update_display_data" || id === undefined) return false;
    const earlier = waiting.find(
      (one) => one.type === type && one.parent === parent && one.content.transient?.display_id === id,
    );
    if (earlier === undefined) return false;
    earlier.content = content;
    return true;
  }

  function flush() {
    sentAtMs = Date.now();
    const messages = waiting;
    waiting = [];
    for (const { type, content, parent } of messages) send(type, content, parent);
  }

  return { add, flush };
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

module.exports = { createOutgoing, freeSocket };
