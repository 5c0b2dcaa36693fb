import { createServer, type IncomingMessage, request as sendOn } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { checksumFile, downloadFile, probeDownload } from "../../../src/data/fetch/download";
import { nextAddress, openHttpClient, withoutSecrets } from "../../../src/data/fetch/http-client";
import { serveFile, startServer } from "../../support/data/loopback-server";
import { temporaryFolder } from "../../support/temporary-folder";

const folder = temporaryFolder("http");
const content = Buffer.from("content");
const variables = ["http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"];
const before = variables.map((name) => [name, process.env[name]] as const);

let proxied: string[];
let tunnels: string[];
let proxy: string;
let closeProxy: () => Promise<void>;

/** Passes requests on as a proxy does. */
beforeEach(async () => {
  for (const name of variables) delete process.env[name];
  proxied = [];
  tunnels = [];
  const server = createServer((request, response) => {
    proxied.push(request.url ?? "");
    const passed = sendOn(request.url ?? "", { headers: request.headers }, (answer: IncomingMessage) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    passed.end();
  });
  server.on("connect", (request, socket) => {
    tunnels.push(request.url ?? "");
    const [host, port] = (request.url ?? "").split(":");
    const target = connect(Number(port), host, () => {
      socket.write("HTTP/1.1 200 Connection Established\r\n\r\n");
      target.pipe(socket).pipe(target);
    });
    target.on("error", () => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  proxy = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  closeProxy = () =>
    new Promise((resolve) => {
      server.closeAllConnections();
      server.close(() => resolve());
    });
});

afterEach(async () => {
  await closeProxy();
  for (const [name, value] of before) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
});

async function fetchText(url: string): Promise<string> {
  const client = openHttpClient();
  try {
    let text = "";
    for await (const chunk of (await client.send(url)).chunks) text += Buffer.from(chunk).toString();
    return text;
  } finally {
    await client.close();
  }
}

describe("proxies of the environment", () => {
  it.each([["HTTP_PROXY"], ["http_proxy"]])("%s is used, for weights as for data sets", async (name) => {
    const server = await startServer(serveFile(content));
    process.env[name] = proxy;
    expect(await fetchText(`${server.origin}/set`)).toBe("content");
    expect(proxied).toEqual([`${server.origin}/set`]);
    const file = join(folder, `${name}.bin`);
    await downloadFile(`${server.origin}/weights`, file);
    expect(proxied.length).toBe(2);
    expect(await checksumFile(file, "md5")).toBe("9a0364b9e99bb480dd25e1f0284c8555");
  });

  it("NO_PROXY names servers that are asked directly", async () => {
    const server = await startServer(serveFile(content));
    process.env["HTTP_PROXY"] = proxy;
    process.env["NO_PROXY"] = "example.org,127.0.0.1";
    expect(await fetchText(`${server.origin}/set`)).toBe("content");
    expect(proxied).toEqual([]);
  });

  it("HTTPS_PROXY makes a tunnel, and sees no address but the server's", async () => {
    const server = await startServer(serveFile(content));
    process.env["HTTPS_PROXY"] = proxy;
    const { host } = new URL(server.origin);
    // The server here speaks no TLS, so it ends there; the tunnel is what is looked at.
    await expect(fetchText(`https://${host}/set?key=secret`)).rejects.toThrow();
    expect(tunnels).toEqual([host]);
    expect(proxied).toEqual([]);
  });

  it("a proxy that isn't there is told", async () => {
    const server = await startServer(serveFile(content));
    process.env["HTTP_PROXY"] = proxy;
    await closeProxy();
    const download = downloadFile(`${server.origin}/x`, join(folder, "x"), { retryDelayMs: 1, attempts: 2 });
    await expect(download).rejects.toThrow(/could not be downloaded: the connection was refused\.$/);
  });

  it.each(["proxy", "localhost:3128", "http://", "ftp://user:secret@proxy:1"])(
    "one whose address is %j is told in a sentence that keeps its value to itself",
    async (address) => {
      process.env["HTTPS_PROXY"] = address;
      const sentence =
        /the environment's HTTPS_PROXY is no address of a proxy, such as http:\/\/proxy\.example:3128; correct or unset it/;
      const error = await downloadFile("https://example.invalid/x", join(folder, "x")).catch((e: Error) => e);
      expect((error as Error).message).toMatch(sentence);
      expect((error as Error).message).not.toContain("secret");
      expect(await probeDownload("https://example.invalid/x", 1_000)).toMatch(sentence);
    },
  );
});

describe("answers", () => {
  it("are not decompressed: a tar.gz that a server calls encoded stays one", async () => {
    const packed = Buffer.from([0x1f, 0x8b, 8, 0]);
    const server = await startServer((_request, response) =>
      response.writeHead(200, { "content-encoding": "x-gzip" }).end(packed),
    );
    const client = openHttpClient();
    const received: Uint8Array[] = [];
    for await (const chunk of (await client.send(server.origin)).chunks) received.push(chunk);
    await client.close();
    expect(Buffer.concat(received).equals(packed)).toBe(true);
  });

  it("from https are not continued over http", () => {
    // Shown on the rule itself, since the tests' server has no certificate.
    expect(() => nextAddress(new URL("https://a.org/x"), "http://a.org/x")).toThrow(
      /http:, which is not safe/,
    );
    expect(nextAddress(new URL("https://a.org/x"), "/y").href).toBe("https://a.org/y");
    expect(nextAddress(new URL("http://a.org/x"), "https://b.org/y").href).toBe("https://b.org/y");
    expect(() => nextAddress(new URL("http://a.org/x"), null)).toThrow(/without saying where to/);
  });
});

describe("withoutSecrets", () => {
  it("leaves out user, password and query", () => {
    expect(withoutSecrets("https://me:pass@a.org:8443/set.zip?key=secret#part")).toBe(
      "https://a.org:8443/set.zip",
    );
    expect(withoutSecrets("me:pass")).not.toContain("pass");
  });
});
