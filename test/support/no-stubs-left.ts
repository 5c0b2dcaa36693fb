import { afterAll, vi } from "vitest";

// Files share a process: what one has put in place of the environment must not reach the next.
afterAll(() => {
  vi.unstubAllEnvs();
});
