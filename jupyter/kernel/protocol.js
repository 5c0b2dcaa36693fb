"use strict";

/**
 * What the kernel tells Jupyter about a cell.
 *
 * tslab prints errors as text and leaves it at a reply without details, so notebooks, nbconvert and nbval don't see
 * an error. Here a failed cell sends `error` on iopub and replies with name, message and traceback; cells dropped
 * after it reply `aborted` (tslab says `abort`); `stop_on_error: false` is honoured; a last value that displays
 * itself is sent as the cell's result; nothing that is printed or shown is lost (see `outgoing.js`), also where the page
 * is closed meanwhile (`kept-outputs.js`); and a kernel that answers questions while a cell runs is not idle (`pages.js`).
 */

const { setTimeout: delay } = require("node:timers/promises");
const { bundleOf, offerDisplayHook } = require("./displays");
const { describeError } = require("./failures");
const { KeptOutputs } = require("./kept-outputs");
const { Outgoing, freeSocket } = require("./outgoing");
const { answerPages } = require("./pages");

/** For 200 ms after a failed cell tslab drops every cell that arrives, because those that wait come one by one. */
const DROPPING_MS = 210;

/** Time for the last messages to leave the sockets. */
const LINGER_MS = 100;

function prepareProtocol(session) {
  const { JupyterHandlerImpl, ZmqServer } = require("tslab/dist/jupyter.js");
  offerDisplayHook(session);
  gatherMessages(ZmqServer.prototype);
  answerPages(ZmqServer.prototype);
  /** What a request's cell is answered with, by the request. */
  const publishers = new WeakMap();
  const failures = new WeakMap();
  replyWithFailures(ZmqServer.prototype, publishers, failures);
  noteFailures(JupyterHandlerImpl.prototype, session, publishers, failures);
  endWithSockets(ZmqServer.prototype, session);
}

/** Sends what cells write through `Outgoing`, and keeps it for pages that are opened later. */
function gatherMessages(server) {
  const { bindSocket } = server;
  server.bindSocket = function (socket, port) {
    if (socket === this.iopub) {
      freeSocket(socket);
      this.outgoing = new Outgoing((type, content, parent) => this.sendAs(type, content, parent));
      this.kept = new KeptOutputs();
    }
    return bindSocket.call(this, socket, port);
  };

  server.publishAs = function (type, content, parent) {
    this.kept.note(type, content, parent);
    this.outgoing.add(type, content, parent);
  };

  server.sendAs = function (type, content, parent) {
    if (this.iopub.closed) return;
    const message = parent.createReply();
    message.header.msg_type = type;
    message.content = content;
    message.signAndSend(this.connInfo.key, this.iopub);
  };
}

/** Runs a requested cell, and replies with its failure, or that it was dropped, in the protocol's words. */
function replyWithFailures(server, publishers, failures) {
  server.handleExecute = async function (socket, message) {
    const request = message.content;
    const publish = (type, content) => this.publishAs(type, content, message);
    publishers.set(request, publish);
    this.kept.begin(message);
    const writeStream = (name, text) => publish("stream", { name, text });
    const writeDisplayData = (content, update) =>
      publish(update ? "update_display_data" : "display_data", content);

    const { status, execution_count } = await this.handler.handleExecute(
      request,
      writeStream,
      writeDisplayData,
    );
    this.outgoing.flush();
    const failure = failures.get(request);
    // A client that answers at once, with a cell sent after the error, must not have that one dropped.
    if (failure && request.stop_on_error !== false) await delay(DROPPING_MS);
    const reply = message.createReply();
    reply.header.msg_type = "execute_reply";
    reply.content = failure
      ? { status: "error", execution_count, ...failure }
      : { status: status === "abort" ? "aborted" : status, execution_count };
    this.kept.end(message, execution_count);
    reply.signAndSend(this.connInfo.key, socket);
  };
}

function noteFailures(handler, session, publishers, failures) {
  const { handleExecuteImpl } = handler;
  handler.handleExecuteImpl = async function (request, ...writers) {
    beginCell(session, this.execCount + 1, publishers.get(request));
    const count = await handleExecuteImpl.call(this, request, ...writers).catch((failed) => failed);
    await endCell(session);
    if (session.failure === null) return count;
    failures.set(request, session.failure);
    // Throwing makes tslab drop the cells that wait; a cell that may fail, says the protocol, must not do that.
    if (request.stop_on_error === false) return count;
    throw count;
  };
}

function endWithSockets(server, session) {
  const { close } = server;
  server.close = function () {
    session.publish = null;
    close.call(this);
    // A timer that a cell has left behind would keep the process alive until Jupyter kills it.
    setTimeout(() => process.exit(0), LINGER_MS);
  };
}

function beginCell(session, cellNumber, publish) {
  Object.assign(session, { cellNumber, publish, running: true, failure: null, strayFailure: null });
}

/** Sends the result or the error of a cell whose code has ended. */
async function endCell(session) {
  if (session.failure === null && session.displayable !== null) await publishResult(session);
  // A rejection that nobody awaits is reported one turn of the event loop later: it is still this cell's.
  await new Promise(setImmediate);
  session.running = false;
  if (session.failure !== null) session.publish("error", session.failure);
  else session.failure = session.strayFailure;
}

async function publishResult(session) {
  try {
    const data = await bundleOf(session.displayable);
    session.publish("execute_result", { execution_count: session.cellNumber, data, metadata: {} });
  } catch (error) {
    session.failure = describeError(error, session.locate);
  }
}

module.exports = { prepareProtocol };
