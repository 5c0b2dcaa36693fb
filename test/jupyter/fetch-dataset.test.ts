import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { packTarGz } from "../support/data/archive-files";
import { serveFile, startServer } from "../support/data/loopback-server";
import { smallMembers } from "../support/data/small-breakhis";
import { messagesOf, startKernel, streamText } from "../support/kernel/kernel-session";
import { temporaryFolder } from "../support/temporary-folder";

it("fetches a data set from a cell, and the stop button leaves nothing of one", async () => {
  const folder = temporaryFolder("kernel-fetch");
  const archive = await packTarGz(await smallMembers());
  writeFileSync(join(folder, "mine.tar.gz"), archive);
  const server = await startServer(serveFile(archive, { slowMs: 300 }));
  const kernel = await startKernel(join(__dirname, "../../notebooks"), {
    BREAKHIS_DATA: join(folder, "data"),
  });
  try {
    await kernel.execute(
      'import { fetchDataset } from "./src/data/fetch/fetch-dataset"; import { onProgress } from "./src/runtime/progress";',
    );
    const path = JSON.stringify(join(folder, "mine.tar.gz"));
    const fetching = await kernel.execute(
      `const { images, byClass } = await fetchDataset(${path}, { magnification: 400 });\nimages + JSON.stringify(byClass)`,
    );
    expect(fetching.reply.status).toBe("ok");
    expect(JSON.stringify(messagesOf(fetching, "execute_result")) + streamText(fetching, "stdout")).toMatch(
      /7\{.*benign.*3,.*malignant.*4\}/,
    );
    expect(readdirSync(join(folder, "data"))).toEqual(["mine"]);

    const mirror = JSON.stringify({ mirror: `${server.origin}/set` });
    const stopped = await kernel.execute(
      `onProgress(({ task }) => console.log(task)); await fetchDataset("original", ${mirror});`,
      { interruptOn: ["Downloading"] },
    );
    expect(stopped.reply.status).toBe("error");
    expect(stopped.reply.evalue).toContain("Fetching the original BreaKHis was stopped; nothing was kept.");
    expect(readdirSync(join(folder, "data"))).toEqual(["mine"]);
  } finally {
    await kernel.close();
  }
});
