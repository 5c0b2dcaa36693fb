import type { ConvolutionWeights } from "../../model/backbones/convolutions";
import { decodeSafetensors, encodeSafetensors } from "../../model/backbones/safetensors";
import type { Head } from "../../model/classifier/head";
import { readEntry, removeEntry, writeEntry } from "../../runtime/cache/content-cache";
import type { EpochRecord } from "../head/train";
import type { StepState } from "./fine-tuning-step";

/** What a fine-tuning came to after a whole epoch: all that it takes to go on as if it had never been stopped. */
export interface TuningProgress {
  state: StepState;
  /** Places in the random sequences of the order of images and of dropout. */
  random: { order: number; dropout: number };
  history: EpochRecord[];
  /** Before the first step. */
  before: { validationLoss: number; validationAccuracy: number; validationPatientLoss: number };
  /** Null where no epoch was better than before. */
  best: { epoch: number; loss: number; stages: Map<string, ConvolutionWeights>; head: Head } | null;
}

/** Where a fine-tuning keeps how far it is, for whoever trains the same again. */
export interface TuningKeeper {
  load(): Promise<TuningProgress | null>;
  save(progress: TuningProgress): Promise<void>;
  forget(): Promise<void>;
}

const kind = "fine-tuning";

/** What of it is no tensor. */
type Plain = Omit<TuningProgress, "state" | "best"> & {
  steps: number;
  best: {
    epoch: number;
    loss: number;
    stages: string[];
    layers: Omit<Head["layers"][number], "kernel" | "bias">[];
  } | null;
};

const vector = (name: string, values: Float32Array) => ({ name, shape: [values.length], values });

/** One file: the length of a JSON text, that text, and the numbers as safetensors. */
function encode({ state, best, ...rest }: TuningProgress): Buffer {
  const stages = [...(best?.stages ?? [])];
  const layers = best?.head.layers ?? [];
  const tensors = [
    ...state.weights.map((values, i) => vector(`weights/${i}`, values)),
    ...state.moments.map((values, i) => vector(`moments/${i}`, values)),
    ...[...stages.map(([, weights]) => weights), ...layers].flatMap(({ kernel, bias }, i) => [
      vector(`best/${i}/kernel`, kernel as Float32Array),
      vector(`best/${i}/bias`, bias as Float32Array),
    ]),
  ];
  const plain: Plain = {
    ...rest,
    steps: state.steps,
    best:
      best === null
        ? null
        : {
            epoch: best.epoch,
            loss: best.loss,
            stages: stages.map(([name]) => name),
            layers: layers.map(({ kernel: _, bias: __, ...shape }) => shape),
          },
  };
  const json = Buffer.from(JSON.stringify(plain));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(json.length);
  return Buffer.concat([length, json, encodeSafetensors(tensors)]);
}

function decode(bytes: Buffer): TuningProgress {
  const end = 4 + bytes.readUInt32LE(0);
  const { steps, best, ...rest } = JSON.parse(bytes.toString("utf8", 4, end)) as Plain;
  const tensors = decodeSafetensors(bytes.subarray(end), "what a fine-tuning kept");
  const values = (name: string) => tensors.get(name)!.values;
  const count = (prefix: string) => [...tensors.keys()].filter((name) => name.startsWith(prefix)).length;
  const all = (prefix: string) => Array.from({ length: count(prefix) }, (_, i) => values(`${prefix}${i}`));
  const pair = (i: number) => ({ kernel: values(`best/${i}/kernel`), bias: values(`best/${i}/bias`) });
  return {
    ...rest,
    state: { steps, weights: all("weights/"), moments: all("moments/") },
    best:
      best === null
        ? null
        : {
            epoch: best.epoch,
            loss: best.loss,
            stages: new Map(best.stages.map((name, i) => [name, pair(i)])),
            head: { layers: best.layers.map((layer, i) => ({ ...layer, ...pair(best.stages.length + i) })) },
          },
  };
}

/**
 * Keeps a fine-tuning's progress in the cache, each epoch in place of the one before.
 *
 * @param key - SHA-256, in hexadecimal, of everything that decides what is trained.
 */
export function keepTuningIn(key: string): TuningKeeper {
  return {
    async load() {
      const bytes = await readEntry(kind, key);
      return bytes === null ? null : decode(bytes);
    },
    save: (progress) => writeEntry(kind, key, encode(progress)),
    forget: () => removeEntry(kind, key),
  };
}
