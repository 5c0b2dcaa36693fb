"use strict";

/**
 * What a page asks while a cell runs: its comm messages are answered from what is kept (see `kept-outputs.js`), and
 * after each answer it is told that the kernel is still busy.
 *
 * tslab knows no comms and no history: it prints a warning under the cell that runs. And it says "idle" after each
 * answer, so that a page that is opened in the middle of a training, and asks this and that, took the kernel for idle.
 */

/** What tslab has an answer for; JupyterLab asks more of each kernel when a notebook is opened. */
const KNOWN_TO_TSLAB = new Set([
  "kernel_info_request",
  "execute_request",
  "is_complete_request",
  "inspect_request",
  "complete_request",
  "comm_info_request",
  "shutdown_request",
]);

/** Stands between the addresses of a message and its parts. */
const DELIMITER = Buffer.from("<IDS|MSG>");

/** @param server - The prototype of tslab's server; changed. */
function answerPages(server) {
  const { handleShellMessage, publishStatus } = server;
  /** tslab's own class of messages, which it keeps to itself. */
  let Message = null;

  server.handleShellMessage = async function (socket, ...frames) {
    // Before the first message that it handles there is nothing to tell of.
    if (Message === null || KNOWN_TO_TSLAB.has(typeOf(frames))) {
      return handleShellMessage.call(this, socket, ...frames);
    }
    const message = Message.fromRaw(this.connInfo.key, frames);
    const { msg_type: type } = message.header;
    this.publishStatus("busy", message);
    const answer = this.kept.answer(type, message.content);
    if (answer !== null) {
      // What is kept is newer than what waits to be sent.
      this.outgoing.flush();
      this.sendAs("comm_msg", answer, message);
    }
    if (type === "history_request") {
      const reply = message.createReply();
      reply.header.msg_type = "history_reply";
      // Cells are kept by the notebook, and by nobody else.
      reply.content = { status: "ok", history: [] };
      reply.signAndSend(this.connInfo.key, socket);
    }
    this.publishStatus("idle", message);
  };

  /** Requests to run a cell that were not answered yet; the first of them is the one that runs. */
  const unanswered = new Set();

  server.publishStatus = function (status, parent) {
    Message ??= parent.constructor;
    publishStatus.call(this, status, parent);
    if (parent.header.msg_type === "execute_request") {
      if (status === "busy") unanswered.add(parent);
      else unanswered.delete(parent);
    }
    const [running] = unanswered;
    if (status === "idle" && running !== undefined) publishStatus.call(this, "busy", running);
  };
}

function typeOf(frames) {
  const position = frames.findIndex((frame) => frame.equals(DELIMITER));
  // The signature comes first; it is checked where the message is read.
  return JSON.parse(frames[position + 2].toString()).msg_type;
}

module.exports = { answerPages };
