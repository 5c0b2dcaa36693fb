/** How far a long step has come. */
export interface ProgressState {
  /** What is being done, as a person would say it, for example "Decoding images". */
  task: string;
  /** What is counted, in the plural, for example "images". */
  unit: string;
  done: number;
  /** 0 where the total is not known. */
  total: number;
  startedAtMs: number;
  finished: boolean;
}

/** Reports the progress of one step; `finish` is called in any case, also after a failure. */
export interface ProgressReporter {
  advance(count?: number): void;
  finish(): void;
}

type Listener = (state: ProgressState) => void;

// On globalThis, so that a listener survives the reload of edited sources in the kernel.
const listenersKey = Symbol.for("breakhis-lab.progress-listeners");

function listeners(): Set<Listener> {
  const holder = globalThis as unknown as Record<symbol, Set<Listener> | undefined>;
  holder[listenersKey] ??= new Set();
  return holder[listenersKey];
}

/**
 * Announces a long step. Nothing is shown here: whoever listens (a notebook, a terminal) shows it.
 *
 * @param total - Number of units, 0 where it is not known.
 */
export function startProgress(task: string, total: number, unit: string): ProgressReporter {
  const state: ProgressState = { task, unit, done: 0, total, startedAtMs: Date.now(), finished: false };
  const announce = () => {
    for (const listener of listeners()) listener({ ...state });
  };
  announce();
  return {
    advance(count = 1) {
      state.done += count;
      announce();
    },
    finish() {
      if (state.finished) return;
      state.finished = true;
      announce();
    },
  };
}

/** Calls the listener at every step of progress, until the returned function is called. */
export function onProgress(listener: Listener): () => void {
  listeners().add(listener);
  return () => {
    listeners().delete(listener);
  };
}
