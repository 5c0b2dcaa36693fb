import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach } from "vitest";

/** How a server answers one request. */
export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** A server of the tests' own on this machine. */
export interface LoopbackServer {
  /** `http://127.0.0.1:<port>`. */
  origin: string;
  /** Every request so far. */
  requests: IncomingMessage[];
  /** Answers in this order; the last one holds for all further requests. */
  answer(...answers: Answer[]): void;
  close(): Promise<void>;
}

const toBeClosed: LoopbackServer[] = [];

afterEach(async () => {
  for (const server of toBeClosed.splice(0)) await server.close();
});

/** Starts a server that is closed after the test. */
export async function startServer(...first: Answer[]): Promise<LoopbackServer> {
  let answers = first;
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    answer?.(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const started: LoopbackServer = {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    answer(...next) {
      answers = next;
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
  toBeClosed.push(started);
  return started;
}

/** What may be wrong with a file's server. */
export interface FileServerFaults {
  /** Drops the connection after so many bytes of an answer's body. */
  cutAfter?: number;
  /** Knows no ranges: always sends the whole file. */
  noRanges?: boolean;
  /** Names the range that was asked for, but sends bytes from elsewhere. */
  wrongBytes?: boolean;
  /** Answers another range than was asked for, and says so. */
  otherRange?: boolean;
  /** Added to the length that is announced. */
  lengthError?: number;
  /** Sends no length, as programs that pack on the fly do. */
  noLength?: boolean;
  /** Pause between pieces of 16 kB, in milliseconds. */
  slowMs?: number;
  etag?: string;
}

function startOf(request: IncomingMessage): number {
  return Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
}

async function sendSlowly(response: ServerResponse, body: Buffer, pauseMs: number): Promise<void> {
  for (let sent = 0; sent < body.length && !response.destroyed; sent += 16_384) {
    response.write(body.subarray(sent, sent + 16_384));
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
  response.end();
}

/** Serves a file, with ranges unless told otherwise. */
export function serveFile(content: Buffer, faults: FileServerFaults = {}): Answer {
  return (request, response) => {
    const { etag = '"one"', lengthError = 0 } = faults;
    const asked = faults.noRanges ? 0 : startOf(request);
    const isSameVersion = (request.headers["if-range"] ?? etag) === etag;
    const start = !isSameVersion ? 0 : faults.otherRange && asked > 0 ? asked - 1 : asked;
    if (start >= content.length) {
      response.writeHead(416, { "content-range": `bytes */${content.length}` }).end();
      return;
    }
    const body =
      faults.wrongBytes && start > 0 ? Buffer.alloc(content.length - start, 7) : content.subarray(start);
    const headers: Record<string, string | number> = { etag };
    if (!faults.noLength) headers["content-length"] = body.length + lengthError;
    if (start > 0) headers["content-range"] = `bytes ${start}-${content.length - 1}/${content.length}`;
    response.writeHead(start > 0 ? 206 : 200, headers);
    if (request.method === "HEAD") response.end();
    else if (faults.slowMs !== undefined) void sendSlowly(response, body, faults.slowMs);
    else if (faults.cutAfter !== undefined && faults.cutAfter < body.length) {
      response.write(body.subarray(0, faults.cutAfter), () => setTimeout(() => response.destroy(), 10));
    } else if (lengthError !== 0) {
      // Node refuses to end an answer that contradicts its length, so the connection ends instead.
      const sent = body.subarray(0, Math.max(0, body.length + lengthError));
      response.write(sent, () => response.socket?.end());
    } else response.end(body);
  };
}

/** Answers with a status and nothing else. */
export function refuse(status: number, headers: Record<string, string> = {}): Answer {
  return (_request, response) => response.writeHead(status, headers).end("no");
}

/** Sends somebody elsewhere. */
export function redirectTo(location: string, status = 302): Answer {
  return refuse(status, { location });
}
