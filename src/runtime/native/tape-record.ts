import { tf } from "../tensorflow";
import type { NativeId, OpAttribute } from "./native-backend";
import { type NativeScope, typeAttribute } from "./native-ops";

/** Numbers in a computation that can be gone through backwards. */
export interface TapeValue {
  readonly id: NativeId;
  /** Whether what is wanted depends on it. */
  readonly tracked: boolean;
}

/** What comes after a convolution. */
export type TapeActivation = "linear" | "relu" | "relu6";

/** One step of a computation, remembered. */
interface Entry {
  output: TapeValue;
  /** Tells the inputs their slopes; the output's own slope is freed afterwards. */
  passBack(slope: NativeId): void;
}

/** What a tape remembers on the way there, and the slopes it hands on on the way back. */
export class TapeRecord {
  private entries: Entry[] = [];
  private slopes = new Map<TapeValue, NativeId>();

  constructor(readonly scope: NativeScope) {}

  run(name: string, inputs: NativeId[], ...attributes: OpAttribute[]): NativeId {
    return this.scope.run(name, [typeAttribute("T"), ...attributes], inputs);
  }

  shapeOf(id: NativeId): NativeId {
    return this.scope.run("Shape", [typeAttribute("T"), typeAttribute("out_type", "int32")], [id]);
  }

  /** Whole numbers, or one number, as an input of an operation. */
  constant(values: number[], shape: number[], dtype: "int32" | "float32" = "int32"): NativeId {
    const tensor = tf.tensor(values, shape, dtype);
    const id = this.scope.run("Identity", [typeAttribute("T", dtype)], [this.scope.input(tensor)]);
    tensor.dispose();
    return id;
  }

  /** Does something with intermediate results that are freed at once. */
  consume<T>(ids: NativeId[], work: () => T): T {
    const result = work();
    for (const id of ids) this.scope.free(id);
    return result;
  }

  activate(sums: NativeId, activation: TapeActivation): NativeId {
    if (activation === "linear") return sums;
    return this.consume([sums], () => this.run(activation === "relu" ? "Relu" : "Relu6", [sums]));
  }

  /** The slope before an activation, from that behind it; a handle of its own in any case. */
  beforeActivation(slope: NativeId, output: NativeId, activation: TapeActivation): NativeId {
    if (activation === "linear") return this.run("Identity", [slope]);
    return this.run(activation === "relu" ? "ReluGrad" : "Relu6Grad", [slope, output]);
  }

  /** Notes a result, and how its slope becomes its inputs', if any of them is tracked. */
  remember(
    id: NativeId,
    inputs: TapeValue[],
    passBack: (output: TapeValue, slope: NativeId) => void,
  ): TapeValue {
    const output = { id, tracked: inputs.some(({ tracked }) => tracked) };
    if (output.tracked) this.entries.push({ output, passBack: (slope) => passBack(output, slope) });
    return output;
  }

  /** Adds a slope to those that a value has been given. */
  give(value: TapeValue, slope: NativeId): void {
    const before = this.slopes.get(value);
    const sum = () => this.run("AddV2", [before!, slope]);
    this.slopes.set(value, before === undefined ? slope : this.consume([before, slope], sum));
  }

  /** Does a piece of the computation, forgets all but its result, and does it again on the way back. */
  recompute(input: TapeValue, work: (input: TapeValue) => TapeValue): TapeValue {
    const [result, passed] = this.apart(() => work(input));
    for (const { output } of passed) if (output !== result) this.scope.free(output.id);
    // A value of its own: what was computed the second time has a slope of its own.
    const output = { ...result };
    if (output.tracked)
      this.entries.push({ output, passBack: (slope) => this.passAgain(input, work, slope) });
    return output;
  }

  private passAgain(input: TapeValue, work: (input: TapeValue) => TapeValue, slope: NativeId): void {
    // Without the wait, a graph would not compute it a second time but hold it.
    const waiting = { ...input, id: this.scope.passAfter(input.id, slope) };
    const [again, toGoBack] = this.apart(() => work(waiting));
    this.give(again, this.run("Identity", [slope]));
    this.goBack(toGoBack);
    const own = this.slopes.get(waiting);
    this.slopes.delete(waiting);
    if (own !== undefined) this.give(input, own);
    this.scope.free(waiting.id);
  }

  /** Goes backwards from a value, and frees what was computed on the way there. */
  backward(value: TapeValue, slope: NativeId): Map<TapeValue, NativeId> {
    this.slopes = new Map([[value, slope]]);
    this.goBack(this.entries.splice(0));
    return this.slopes;
  }

  /** Does something, and hands out what there is to remember of it. */
  private apart<T>(work: () => T): [result: T, remembered: Entry[]] {
    const outer = this.entries;
    this.entries = [];
    try {
      return [work(), this.entries];
    } finally {
      this.entries = outer;
    }
  }

  private goBack(remembered: readonly Entry[]): void {
    for (const { output, passBack } of [...remembered].reverse()) {
      const own = this.slopes.get(output);
      if (own !== undefined) {
        this.slopes.delete(output);
        passBack(own);
        this.scope.free(own);
      }
      this.scope.free(output.id);
    }
  }
}
