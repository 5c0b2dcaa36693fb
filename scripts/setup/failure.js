// @ts-check
"use strict";

/** A failure whose message is meant for people as it stands: what is wrong and what to do, without a stack. */
class SetupFailure extends Error {
  /** @param {string} message */
  constructor(message) {
    super(message);
    this.name = "SetupFailure";
  }
}

const NETWORK =
  /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT|NewConnectionError|ConnectTimeoutError|ReadTimeoutError|ProtocolError|Temporary failure in name resolution|Name or service not known|Network is unreachable|Failed to establish a new connection|Could not connect to proxy|Cannot connect to proxy/;

/**
 * What the output of npm, pip and compilers says about causes outside the project, most telling first.
 * @type {{ pattern: RegExp, sentence: string }[]}
 */
const CAUSES = [
  {
    pattern: /ENOSPC|No space left on device|Disk quota exceeded|EDQUOT/i,
    sentence:
      "The disk is full: free some space (also where temporary files go, TMPDIR) and run the same command again.",
  },
  {
    pattern:
      /CERTIFICATE_VERIFY_FAILED|SELF_SIGNED_CERT|UNABLE_TO_GET_ISSUER_CERT|UNABLE_TO_VERIFY_LEAF|CERT_HAS_EXPIRED/,
    sentence:
      "The package registry's certificate was not accepted: behind a proxy that signs its own, name its certificate file in NODE_EXTRA_CA_CERTS (npm) and PIP_CERT (pip) and run the same command again.",
  },
  {
    pattern: NETWORK,
    sentence:
      "The package registry could not be reached: check the network (or the proxy and mirror settings of npm and pip) and run the same command again.",
  },
  {
    pattern: /DO NOT MATCH THE HASHES|EINTEGRITY/,
    sentence:
      "A downloaded package is not the one in the lock file, so it was not installed: run the same command again, and if it stays so, the mirror in use serves altered files.",
  },
  {
    pattern: /No matching distribution found|Could not find a version that satisfies|\bE404\b|\bETARGET\b/,
    sentence:
      "The package registry does not offer a package that the lock file names: a mirror may be incomplete, so check the registry settings of npm and pip and run the same command again.",
  },
  {
    pattern: /\bEACCES\b|\bEPERM\b|Permission denied|Read-only file system|EROFS/,
    sentence:
      "A file could not be written: make sure that the project's folder and the caches of npm and pip belong to you, and run the same command again.",
  },
  {
    pattern: /cannot allocate memory|out of memory|Killed signal|MemoryError/i,
    sentence: "The machine ran out of memory: close other programs and run the same command again.",
  },
];

/**
 * Recognises a cause in a program's output.
 *
 * @param {string} output
 * @returns {string | null} One sentence with the remedy; null when nothing known was found.
 */
function explainOutput(output) {
  const cause = CAUSES.find(({ pattern }) => pattern.test(output));
  return cause ? cause.sentence : null;
}

/**
 * Turns anything thrown into what people should read: our own failures as they are, known system errors explained,
 * and the rest by its message.
 *
 * @param {unknown} error
 * @returns {string}
 */
function describeFailure(error) {
  if (!(error instanceof Error)) return String(error);
  if (error.name === "SetupFailure") return error.message;
  return explainOutput(error.message) ?? `Something unexpected went wrong: ${error.message}`;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: names of files in a message may hold escape sequences.
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;

/**
 * Runs a program's main function; a failure is printed without a stack and ends it with code 1.
 *
 * @param {() => Promise<number | undefined>} main - Resolves to the exit code; undefined is 0.
 */
async function runMain(main) {
  try {
    process.exitCode = (await main()) ?? 0;
  } catch (error) {
    console.error(describeFailure(error).replace(CONTROL, ""));
    if (process.env["BREAKHIS_DEBUG"]) console.error(error);
    process.exitCode = 1;
  }
}

module.exports = { SetupFailure, explainOutput, describeFailure, runMain };
