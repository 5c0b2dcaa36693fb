interface CooperativeTask {
  name: string;
  controller: AbortController;
}

// The kernel launcher looks here when the stop button is pressed; globalThis outlives a reload of this module.
const tasksKey = Symbol.for("breakhis-lab.cooperative-tasks");

function runningTasks(): Set<CooperativeTask> {
  const holder = globalThis as unknown as Record<symbol, Set<CooperativeTask> | undefined>;
  holder[tasksKey] ??= new Set();
  return holder[tasksKey];
}

/**
 * Runs work that can be asked to stop: a notebook's stop button aborts the signal, and the work
 * then returns what it has instead of failing.
 *
 * @param work - Looks at `signal.aborted` between its steps and calls `breathe` now and then.
 */
export async function runCooperatively<T>(
  name: string,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const task: CooperativeTask = { name, controller: new AbortController() };
  runningTasks().add(task);
  try {
    // The kernel can only break off, not ask, the part of a cell that runs before its first pause.
    await breathe();
    return await work(task.controller.signal);
  } finally {
    runningTasks().delete(task);
  }
}

/** Asks every running cooperative task to stop; returns their names. */
export function requestStop(): string[] {
  const tasks = [...runningTasks()];
  for (const task of tasks) task.controller.abort();
  return tasks.map((task) => task.name);
}

/**
 * Lets the event loop run once: messages go out, interrupts come in.
 *
 * Awaiting a tensor's data does not do this, so long loops call it at every batch.
 */
export function breathe(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
