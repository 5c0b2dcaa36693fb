/**
 * Shows what became of a notebook's cells while its page was closed. Jupyter sends each message once, to the pages that
 * are there; a page that is opened later shows what the file holds, an earlier run's results for instance. So it asks
 * the kernel, which keeps the output of cells whose end nobody has seen (`jupyter/kernel/kept-outputs.js`), and follows
 * those that still run.
 */

/** As the kernel names it. */
const target = "breakhis-lab.kept-outputs";
const kernelName = "tslab";

/** Between two questions about a cell that runs: its own live view changes as often. */
const restMs = 500;

/**
 * A question without an answer is asked again, each time after twice as long: what a kernel says while it starts is
 * heard by nobody yet, and one that computes without a pause answers when it is through.
 */
const patienceMs = { least: 2000, most: 60_000 };

/** So long after a cell's end it may be forgotten: other pages follow it too, and this one may not be saved yet. */
const seenAfterMs = 10_000;

/**
 * JupyterLab's description of the extension.
 *
 * @param INotebookTracker - JupyterLab's token for what knows the open notebooks.
 * @param deepEqual - Lumino's comparison of JSON.
 */
export function createReopenedCells(INotebookTracker, deepEqual) {
  return {
    id: "breakhis-lab-plotly:reopened-cells",
    description: "Shows what became of running cells while their page was closed.",
    autoStart: true,
    requires: [INotebookTracker],
    activate(_app, tracker) {
      const follow = (panel) => new Follower(panel, deepEqual);
      tracker.forEach(follow);
      tracker.widgetAdded.connect((_, panel) => follow(panel));
    },
  };
}

/** One open notebook's conversation with its kernel. */
class Follower {
  #panel;
  #deepEqual;
  /** Cells that still run, by the request of an earlier page. */
  #followed = new Map();
  /** Requests whose end was shown: from then on the page may have changed what is there. */
  #ended = new Set();
  #comm = null;
  #timer;

  constructor(panel, deepEqual) {
    this.#panel = panel;
    this.#deepEqual = deepEqual;
    const { sessionContext } = panel;
    sessionContext.connectionStatusChanged.connect((_, status) => {
      if (status === "connected") void this.#ask();
    });
    sessionContext.kernelChanged.connect(() => void this.#ask());
    sessionContext.iopubMessage.connect((_, message) => this.#hear(message));
    panel.disposed.connect(() => this.#forgetTimer());
    void this.#ask();
  }

  get #kernel() {
    return this.#panel.sessionContext.session?.kernel ?? null;
  }

  async #ask(waitMs = patienceMs.least) {
    this.#forgetTimer();
    // The cells must be there to be filled.
    await this.#panel.context.ready;
    const kernel = this.#kernel;
    if (this.#panel.isDisposed || kernel?.name !== kernelName || !kernel.handleComms) return;
    if (kernel.connectionStatus !== "connected") return;
    this.#comm?.dispose();
    this.#comm = kernel.createComm(target);
    this.#comm.onMsg = ({ content }) => {
      this.#forgetTimer();
      const kept = content.data.cells.filter(({ session }) => session !== kernel.clientId);
      this.#leaveOut(kept.map(({ request }) => request));
      for (const one of kept) this.#show(one);
    };
    this.#comm.open();
    this.#forgetTimer();
    this.#timer = setTimeout(() => void this.#ask(Math.min(2 * waitMs, patienceMs.most)), waitMs);
  }

  #forgetTimer() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Whoever has seen a cell's end says so; what an earlier page's cell sends is a reason to ask again. */
  #hear({ header, parent_header: parent, content }) {
    if (parent.msg_type !== "execute_request") return;
    const ended = header.msg_type === "status" && content.execution_state === "idle";
    if (parent.session === this.#kernel?.clientId) {
      if (ended) this.#tellSeen(parent.msg_id);
    } else if (this.#followed.has(parent.msg_id)) {
      if (ended) void this.#ask();
      else this.#timer ??= setTimeout(() => void this.#ask(), restMs);
    }
  }

  #tellSeen(request) {
    setTimeout(() => {
      if (this.#comm?.isDisposed === false) this.#comm.send({ seen: request });
    }, seenAfterMs);
  }

  /** A kernel that was started anew runs none of the cells that were followed. */
  #leaveOut(kept) {
    for (const [request, cell] of this.#followed) {
      if (kept.includes(request)) continue;
      this.#followed.delete(request);
      cell.executionState = "idle";
    }
  }

  #show({ cellId, request, running, executionCount, outputs }) {
    if (this.#ended.has(request)) return;
    const cell = [...this.#panel.content.model.cells].find(({ id }) => id === cellId);
    if (cell?.type === "code") {
      if (running) this.#followed.set(request, cell);
      else this.#followed.delete(request);
      // As where a page runs a cell itself: what its kernel sends is not a stranger's; what the file holds may be.
      if (!cell.trusted) cell.outputs.clear();
      cell.trusted = true;
      this.#showOutputs(cell.outputs, outputs);
      cell.executionCount = executionCount;
      cell.executionState = running ? "running" : "idle";
    }
    if (running) return;
    this.#ended.add(request);
    this.#tellSeen(request);
  }

  /** Changes what is not there yet, so that a figure that goes on is not drawn from nothing. */
  #showOutputs(shown, outputs) {
    if (shown.length > outputs.length) shown.clear();
    for (const [i, output] of outputs.entries()) {
      if (i >= shown.length) shown.add(output);
      else if (!this.#deepEqual(shown.get(i).toJSON(), output)) shown.set(i, output);
    }
  }
}
