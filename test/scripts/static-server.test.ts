import { once } from "node:events";
import { readdirSync, readlinkSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { expect, it, vi } from "vitest";
import { serveFolder } from "../../scripts/viewer/static-server";
import { temporaryFolder } from "../support/temporary-folder";

const folder = temporaryFolder("static-server");

/** How often this process has a file open. */
function openings(path: string): number {
  const links = readdirSync("/proc/self/fd").map((descriptor) => {
    try {
      return readlinkSync(`/proc/self/fd/${descriptor}`);
    } catch {
      return "";
    }
  });
  return links.filter((link) => link === path).length;
}

it("closes the files of downloads that are broken off", async () => {
  const path = join(folder, "weights.bin");
  // More than a connection holds, so that none of them is through before it ends.
  writeFileSync(path, Buffer.alloc(50_000_000));
  const { server, address } = await serveFolder(folder, 0);
  try {
    for (let download = 0; download < 20; download++) {
      const socket = connect(Number(new URL(address).port), "127.0.0.1");
      socket.write("GET /weights.bin HTTP/1.1\r\nHost: x\r\n\r\n");
      await once(socket, "data");
      expect(openings(path)).toBeGreaterThan(0);
      socket.destroy();
      await vi.waitFor(() => expect(openings(path)).toBe(0), 60_000);
    }
    const whole = await (await fetch(`${address}weights.bin`)).arrayBuffer();
    expect(whole.byteLength).toBe(50_000_000);
  } finally {
    server.close();
  }
});
