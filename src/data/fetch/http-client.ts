import { STATUS_CODES } from "node:http";
import { lastingError, withRetryAfter } from "./download-problems";
import { receive } from "./receive";
import { retryAfterMs } from "./retry";

/** What a server answered, its body untouched: not even decompressed, so that lengths and ranges hold. */
export interface HttpAnswer {
  status: number;
  header(name: string): string | null;
  /** The body as it arrives; returning it, or the request's signal, ends the connection. */
  chunks: AsyncGenerator<Uint8Array, void, undefined>;
}

/** One request. */
export interface HttpRequest {
  method?: "GET" | "HEAD";
  headers?: Record<string, string>;
  /** For the address's own server only: a redirect to another one goes without it. */
  authorization?: string | null;
  signal?: AbortSignal;
}

/** Speaks to servers, through the proxy that HTTP_PROXY, HTTPS_PROXY and NO_PROXY name. */
export interface HttpClient {
  send(url: string, options?: HttpRequest): Promise<HttpAnswer>;
  /** Ends all connections. */
  close(): Promise<void>;
}

const redirectLimit = 10;
const redirectStatuses = new Set([301, 302, 303, 307, 308]);
const temporaryStatuses = new Set([408, 425, 429, 500, 502, 503, 504]);

/** An address without what may be secret in it: user, password and query. */
export function withoutSecrets(url: string): string {
  if (!/^https?:\/\//i.test(url) || !URL.canParse(url)) return "an address that can't be read";
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname}`;
}

/** Takes user and password out of an address; a server gets them in a header instead. */
function splitCredentials(url: string): { address: URL; authorization: string | null } {
  const address = new URL(url);
  const { username, password } = address;
  address.username = "";
  address.password = "";
  if (username === "" && password === "") return { address, authorization: null };
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { address, authorization: `Basic ${Buffer.from(pair).toString("base64")}` };
}

/** Where a redirect leads. @throws Error if it is nowhere, no web address, or away from https. */
export function nextAddress(current: URL, location: string | null): URL {
  if (location === null || !URL.canParse(location, current.href)) {
    throw lastingError("the server redirects without saying where to");
  }
  const next = new URL(location, current);
  if (next.protocol !== "https:" && (next.protocol !== "http:" || current.protocol === "https:")) {
    throw lastingError(`the server redirects to ${next.protocol}, which is not safe`);
  }
  return next;
}

/** The error for a status that brings no content; temporary ones are worth another try. */
export function statusError({ status, header }: HttpAnswer): Error {
  const sentence = `the server answers ${status} ${STATUS_CODES[status] ?? ""}`.trim();
  if (!temporaryStatuses.has(status)) return Object.assign(lastingError(sentence), { status });
  return withRetryAfter(new Error(sentence), retryAfterMs(header("retry-after"), Date.now()));
}

/** @throws Error that names the variable if the environment's proxy is no address. Its value may hold a password. */
function requireProxies(): void {
  for (const name of ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY"]) {
    const address = process.env[name];
    if (!address || (URL.canParse(address) && /^(?:https?|socks5h?):\/\/[^/]/i.test(address))) continue;
    throw lastingError(
      `the environment's ${name} is no address of a proxy, such as http://proxy.example:3128; correct or unset it`,
    );
  }
}

/**
 * Opens a client; the environment's proxies are read now.
 *
 * @throws Error whose message is the rest of a sentence if one of them is no address.
 */
export function openHttpClient(): HttpClient {
  requireProxies();
  // Loaded when something is to be fetched: it takes a fifth of a second, and notebooks seldom fetch.
  const { EnvHttpProxyAgent, request } = require("undici") as typeof import("undici");
  // An http address is asked for through the proxy as browsers do, since many proxies tunnel https only.
  const dispatcher = new EnvHttpProxyAgent({ proxyTunnel: false });
  return {
    async send(url, options = {}) {
      const { address, authorization } = splitCredentials(url);
      let current = address;
      let secret = options.authorization ?? authorization;
      for (let hops = 0; hops <= redirectLimit; hops++) {
        const { statusCode, headers, body } = await request(current, {
          dispatcher,
          method: options.method ?? "GET",
          headers: {
            "user-agent": "breakhis-lab",
            ...options.headers,
            ...(secret === null ? {} : { authorization: secret }),
          },
          signal: options.signal ?? null,
        });
        const header = (name: string) => [headers[name]].flat()[0] ?? null;
        if (!redirectStatuses.has(statusCode)) return { status: statusCode, header, chunks: receive(body) };
        // Whoever destroys a body gets its error; nobody is interested in this one's.
        body.on("error", () => undefined).destroy();
        const next = nextAddress(current, header("location"));
        if (next.origin !== current.origin) secret = null;
        current = splitCredentials(next.href).address;
      }
      throw lastingError(`the server redirects more than ${redirectLimit} times`);
    },
    close: () => dispatcher.destroy(),
  };
}
