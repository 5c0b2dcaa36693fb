import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { receive } from "../../../src/data/fetch/receive";

const tick = () => new Promise((resolve) => setImmediate(resolve));

async function collect(chunks: AsyncIterable<Uint8Array>): Promise<{ text: string; error: string | null }> {
  let text = "";
  try {
    for await (const chunk of chunks) text += Buffer.from(chunk).toString();
  } catch (error) {
    return { text, error: (error as Error).message };
  }
  return { text, error: null };
}

describe("receive", () => {
  it("hands everything out, in order", async () => {
    expect(await collect(receive(Readable.from([Buffer.from("a"), Buffer.from("b")])))).toEqual({
      text: "ab",
      error: null,
    });
    expect(await collect(receive(Readable.from([])))).toEqual({ text: "", error: null });
  });

  it.each([
    ["breaks", new Error("broken"), "broken"],
    ["closes", undefined, "the connection was lost"],
  ])("keeps what arrived before the connection %s", async (_name, reason, message) => {
    const body = new Readable({ read: () => undefined });
    const chunks = receive(body);
    body.push("arrived");
    await tick();
    body.destroy(reason);
    await tick();
    expect(await collect(chunks)).toEqual({ text: "arrived", error: message });
  });

  it("tells at once when there is nothing to come any more", async () => {
    const body = new Readable({ read: () => undefined });
    body.on("error", () => undefined).destroy(new Error("broken"));
    await tick();
    expect(await collect(receive(body))).toEqual({ text: "", error: "broken" });
  });

  it("asks the sender to pause while the reader is busy, and goes on later", async () => {
    const body = new Readable({ read: () => undefined });
    const chunks = receive(body);
    body.push(Buffer.alloc(2 ** 20 + 1));
    await tick();
    expect(body.isPaused()).toBe(true);
    await chunks.next();
    body.push("more");
    body.push(null);
    expect(await collect(chunks)).toEqual({ text: "more", error: null });
  });

  it("ends the connection when the reader has enough", async () => {
    const body = new Readable({ read: () => undefined });
    const chunks = receive(body);
    body.push("some");
    await chunks.next();
    await chunks.return();
    expect(body.destroyed).toBe(true);
  });
});
