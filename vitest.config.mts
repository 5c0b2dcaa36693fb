import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // With worker threads the native TensorFlow addon crashes when the thread ends.
    pool: "forks",
    // By default one core of the machine is left idle, which is half of a machine with two.
    maxWorkers: "100%",
    // For what hangs; a machine that is slow, or busy with something else, is given time.
    testTimeout: 600_000,
    hookTimeout: 600_000,
    expect: { poll: { timeout: 300_000 } },
    setupFiles: ["test/support/no-tensors-left.ts", "test/support/no-stubs-left.ts"],
    env: { TF_CPP_MIN_LOG_LEVEL: "2", TF_ENABLE_ONEDNN_OPTS: "1" },
  },
});
