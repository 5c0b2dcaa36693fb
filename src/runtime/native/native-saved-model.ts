import { refusal } from "../refusal";
import { nativeBackend } from "./native-backend";

/** What one input is fed with: numbers that fill a shape. */
export interface NamedFeed {
  /** A node and the number of its output, "serving_default_images:0". */
  tensor: string;
  values: Float32Array;
  shape: readonly number[];
}

/** A SavedModel in TensorFlow. */
export interface SavedModelSession {
  /**
   * Computes one output of float32.
   *
   * @param output - A node and the number of its output.
   * @throws Error with TensorFlow's reason.
   */
  run(feed: NamedFeed, output: string): { values: Float32Array; shape: number[] };
  /** Frees it; a second call does nothing. */
  dispose(): void;
}

/** TensorFlow tells where in which file it stood. */
const reasonOf = (error: unknown): string =>
  String((error as Error).message ?? error)
    .replace(/\s+/g, " ")
    .replace(/\.$/, "")
    .slice(0, 400);

/**
 * Loads a SavedModel. It is a program, which TensorFlow runs whatever it does: look at what it holds first.
 *
 * @param folder - The folder with `saved_model.pb`.
 * @param tag - Of the graph that is wanted.
 * @throws Error with TensorFlow's reason if it can't.
 */
export function openSavedModel(folder: string, tag: string): SavedModelSession {
  const { binding } = nativeBackend();
  let session: number | null;
  try {
    session = binding.loadSavedModel(folder, tag);
  } catch (error) {
    throw refusal(`TensorFlow can't open ${folder}: ${reasonOf(error)}.`);
  }
  return {
    run({ tensor, values, shape }, output) {
      if (session === null) throw new Error(`${folder} was disposed of.`);
      const id = binding.createTensor(shape, binding.TF_FLOAT, values);
      try {
        const [found] = binding.runSavedModel(session, [id], tensor, output);
        const read = binding.tensorDataSync(found!.id) as Float32Array;
        const copy = Float32Array.from(read);
        binding.deleteTensor(found!.id);
        return { values: copy, shape: found!.shape };
      } catch (error) {
        throw refusal(`TensorFlow can't run ${folder}: ${reasonOf(error)}.`);
      } finally {
        binding.deleteTensor(id);
      }
    },
    dispose() {
      if (session !== null) binding.deleteSavedModel(session);
      session = null;
    },
  };
}
