interface LastingError extends Error {
  isLasting: true;
}

/** An error that trying again won't mend. */
export function lastingError(message: string): Error {
  return Object.assign(new Error(message), { isLasting: true as const });
}

/** The error for an archive whose content is not what its publisher packed. */
export function damaged(how: string): Error {
  return Object.assign(lastingError(`the archive is damaged: ${how}`), { isDamage: true as const });
}

/** Tells whether an error is that of a damaged archive. */
export function isDamage(error: unknown): boolean {
  return (error as { isDamage?: boolean }).isDamage === true;
}

/** Adds how long the server asks to wait, in milliseconds, to an error. */
export function withRetryAfter(error: Error, milliseconds: number | null): Error {
  return milliseconds === null ? error : Object.assign(error, { retryAfterMs: milliseconds });
}

/** How long the server asked to wait, in milliseconds, or null. */
export function retryAfterOf(error: unknown): number | null {
  return (error as { retryAfterMs?: number }).retryAfterMs ?? null;
}

/** Tells whether trying again is of no use: the server said no, or this machine's disk did. */
export function isLasting(error: unknown): boolean {
  const { isLasting, code } = error as Partial<LastingError> & NodeJS.ErrnoException;
  return isLasting === true || (code !== undefined && code in diskProblems);
}

const usualMostBytes = 2 ** 36;

/** @throws Error if a server sends, or announces, more than it may. */
export function refuseExcess(bytes: number, most: number = usualMostBytes): void {
  if (bytes <= most) return;
  throw lastingError(`the server sends more than ${sizeText(most)}, which is the most that may come`);
}

/** A number of bytes as people say it, for example "1.2 GB". */
export function sizeText(bytes: number): string {
  if (bytes >= 1e9) return `${(bytes / 1e9).toFixed(1)} GB`;
  if (bytes >= 1e6) return `${Math.round(bytes / 1e6)} MB`;
  return bytes >= 1e3 ? `${Math.round(bytes / 1e3)} kB` : `${Math.round(bytes)} bytes`;
}

const diskProblems: Record<string, string> = {
  ENOSPC: "the disk is full; make room and try again",
  EDQUOT: "the disk quota is used up; make room and try again",
  EACCES: "the folder can't be written to",
  EROFS: "the folder can't be written to",
};

const networkProblems: Record<string, string> = {
  ENOTFOUND: "its server's name is not known here (no network?)",
  EAI_AGAIN: "its server's name could not be looked up (no network?)",
  ECONNREFUSED: "the connection was refused",
  ECONNRESET: "the connection was lost",
  ENETUNREACH: "there is no network",
  EHOSTUNREACH: "the server can't be reached from here",
  ETIMEDOUT: "the server did not answer",
  UND_ERR_CONNECT_TIMEOUT: "the server did not answer; behind a proxy, set HTTP_PROXY and HTTPS_PROXY",
  UND_ERR_HEADERS_TIMEOUT: "the server did not answer",
  UND_ERR_SOCKET: "the connection was lost",
};

/** Why a download failed, as the rest of a sentence. */
export function explainDownloadError(error: unknown): string {
  const { message, code, cause } = error as NodeJS.ErrnoException;
  // fetch says "fetch failed" and hides the reason in `cause`, sometimes in one of several.
  const inner = cause as (NodeJS.ErrnoException & { errors?: NodeJS.ErrnoException[] }) | undefined;
  const innerCode = inner?.code ?? inner?.errors?.[0]?.code;
  for (const known of [code, innerCode]) {
    const explanation = known && (diskProblems[known] ?? networkProblems[known]);
    if (explanation) return explanation;
  }
  return (inner?.message || message).replace(/\.$/, "");
}
