import { realpath } from "node:fs/promises";
import { basename, dirname, isAbsolute, parse, relative, resolve, sep } from "node:path";
import type { InferenceSession, Tensor } from "onnxruntime-node";
import { checksumFile } from "../../data/fetch/download";
import { sha256 } from "../../runtime/cache/content-hash";
import { readRegularFile } from "../../runtime/files/regular-file";
import { refusal } from "../../runtime/refusal";
import type { FoundNetwork, NetworkOutput, OpenedNetwork, TensorFacts } from "./network";
import { inspectOnnx } from "./onnx-file";

/** Whether one folder lies in another, or is it. */
function liesWithin(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

/**
 * Finds a file of weights that an ONNX file draws in: in the same folder or deeper, also where links lead.
 *
 * @throws Error naming it if it is elsewhere, or not there.
 */
async function findExternal(path: string, name: string): Promise<string> {
  const folder = dirname(path);
  const named = resolve(folder, name);
  if (name === "" || isAbsolute(name) || !liesWithin(named, folder)) {
    throw refusal(`${path} draws in ${JSON.stringify(name)}, outside of its folder, so it is not opened.`);
  }
  const [real, home] = await Promise.all([
    realpath(named).catch(() => {
      throw refusal(`${path} keeps weights in ${name}, which is not beside it: copy it to ${named}.`);
    }),
    realpath(folder),
  ]);
  if (!liesWithin(real, home)) {
    throw refusal(
      `${path} draws in ${name}, a link that leads out of its folder, to ${real}: put a copy of that file there (cp -L) if it is yours.`,
    );
  }
  return named;
}

const fileLimit = 2 ** 31 - 1;

async function readOnnx(path: string): Promise<Buffer> {
  try {
    return await readRegularFile(path);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ERR_FS_FILE_TOO_LARGE") {
      throw refusal(
        `${path} is larger than ${fileLimit} bytes, the most that ONNX has: save its weights beside it (external data).`,
      );
    }
    throw refusal(`The backbone ${path} can't be read: ${message}.`);
  }
}

/**
 * Looks at an ONNX file: which files belong to it, and their checksum.
 *
 * @param path - Absolute.
 * @param location - What the user named: the file, or its folder.
 * @throws Error if it is none, or reaches out of its folder.
 */
export async function findOnnx(path: string, location: string): Promise<FoundNetwork> {
  const bytes = await readOnnx(path);
  const own = sha256(bytes);
  const { externalFiles, parameterCount, stepCount } = inspectOnnx(bytes, path);
  const others: [name: string, sha256: string][] = [];
  for (const name of externalFiles) {
    others.push([name, await checksumFile(await findExternal(path, name), "sha256")]);
  }
  return {
    name: basename(path),
    location,
    folder: dirname(path),
    stem: parse(path).name,
    sha256: others.length === 0 ? own : sha256(JSON.stringify([own, others])),
    parameterCount,
    kind: `ONNX graph of ${stepCount} steps`,
    open: () => openOnnx(path),
  };
}

const fatalOnly = 4;

function factsOf(metadata: readonly InferenceSession.ValueMetadata[]): TensorFacts[] {
  return metadata.map((value): TensorFacts => {
    if (!value.isTensor) return { name: value.name, type: "no tensor", shape: [] };
    const { name, type, shape } = value;
    return {
      name,
      type,
      shape: shape.map((length) => (typeof length === "number" ? length : null)),
      axes: shape.map((length) => (typeof length === "number" ? "" : length)),
    };
  });
}

/** ONNX Runtime says much of where in its own sources it stood. */
const reasonOf = (error: unknown): string =>
  (error as Error).message.replace(/\s+/g, " ").replace(/\.$/, "").slice(0, 400);

async function openOnnx(path: string): Promise<OpenedNetwork> {
  // Loaded with the first network that needs it: it is a large library.
  const runtime = await import("onnxruntime-node");
  let session: InferenceSession | null;
  try {
    session = await runtime.InferenceSession.create(path, {
      executionProviders: ["cpu"],
      logSeverityLevel: fatalOnly,
    });
  } catch (error) {
    throw refusal(`ONNX Runtime can't open ${path}: ${reasonOf(error)}.`);
  }
  const inputs = factsOf(session.inputMetadata);
  const [input] = inputs;
  if (input === undefined || inputs.length > 1) {
    await session.release();
    const names = inputs.map(({ name }) => name).join(", ");
    throw refusal(
      `A backbone takes images and nothing else, and ${path} has ${inputs.length} inputs (${names}): export it with one.`,
    );
  }
  return {
    input,
    outputs: factsOf(session.outputMetadata),
    async run(values, shape, output): Promise<NetworkOutput> {
      if (session === null) throw new Error(`${basename(path)} was disposed of.`);
      const feeds = { [input.name]: new runtime.Tensor("float32", values, shape) };
      let found: Tensor;
      try {
        found = (await session.run(feeds, [output]))[output]!;
      } catch (error) {
        throw refusal(`ONNX Runtime can't run ${path}: ${reasonOf(error)}.`);
      }
      return { values: found.data as Float32Array, shape: [...found.dims] };
    },
    dispose() {
      void session?.release();
      session = null;
    },
  };
}
