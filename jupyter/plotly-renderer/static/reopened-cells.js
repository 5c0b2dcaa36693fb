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
  /** Requests of earlier pages whose cells still run. */
  #followed = new Set();
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
    panel.disposed.connect(() => clearTimeout(this.#timer));
    void this.#ask();
  }

  get #kernel() {
    return this.#panel.sessionContext.session?.kernel ?? null;
  }

  async #ask() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    // The cells must be there to be filled.
    await this.#panel.context.ready;
    const kernel = this.#kernel;
    if (this.#panel.isDisposed || kernel?.name !== kernelName || !kernel.handleComms) return;
    if (kernel.connectionStatus !== "connected") return;
    this.#comm?.dispose();
    this.#comm = kernel.createComm(target);
    this.#comm.onMsg = ({ content }) => {
      for (const kept of content.data.cells) if (kept.session !== kernel.clientId) this.#show(kept);
    };
    this.#comm.open();
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
    if (this.#comm?.isDisposed === false) this.#comm.send({ seen: request });
  }

  #show({ cellId, request, running, executionCount, outputs }) {
    if (running) this.#followed.add(request);
    else this.#followed.delete(request);
    const cell = [...this.#panel.content.model.cells].find(({ id }) => id === cellId);
    if (cell?.type === "code") {
      // As where a page runs a cell itself: what its kernel sends is not a stranger's.
      cell.trusted = true;
      this.#showOutputs(cell.outputs, outputs);
      cell.executionCount = executionCount;
      cell.executionState = running ? "running" : "idle";
    }
    if (!running) this.#tellSeen(request);
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
