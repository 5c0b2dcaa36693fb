import { type Dataset, imagePath } from "../../data/dataset";
import { encodeThumbnail } from "../../data/images/images";
import { createRandom } from "../../runtime/random";
import type { WatchedImage } from "./training-state";

/** Pixels of a thumbnail's width: sharp at the size it is shown, about 5 kB. */
const thumbnailWidth = 180;

/**
 * Picks some images of a part, the classes in turn and as many different patients as there are, each with a small copy.
 *
 * An image that can't be read any more is left out: a picture is no reason to keep a training from running.
 *
 * @param rows - Indices into `dataset.records`.
 */
export async function pickWatchedImages(
  dataset: Dataset,
  rows: readonly number[],
  { count = 6, seed = 0 }: { count?: number; seed?: number } = {},
): Promise<WatchedImage[]> {
  const picked: WatchedImage[] = [];
  for (const position of positionsInTurn(dataset, rows, seed)) {
    if (picked.length === count) break;
    const record = dataset.records[rows[position]!]!;
    try {
      const thumbnail = await encodeThumbnail(imagePath(dataset, record), thumbnailWidth);
      picked.push({
        position,
        thumbnail,
        origin: record.patient === null ? "patient unknown" : `patient ${record.patient}`,
      });
    } catch {
      // Whoever needs the image itself says what is wrong with it.
    }
  }
  return picked;
}

/** Positions in random order, but no class and no patient again before every other one had its turn. */
function positionsInTurn(dataset: Dataset, rows: readonly number[], seed: number): number[] {
  const turns = new Map<string, number>();
  const nextTurn = (key: string) => {
    const turn = turns.get(key) ?? 0;
    turns.set(key, turn + 1);
    return turn;
  };
  const shuffled = createRandom(seed).shuffle(rows.map((_, position) => position));
  const byPatient = shuffled
    .map((position) => ({ position, turn: nextTurn(`patient ${dataset.records[rows[position]!]!.patient}`) }))
    .sort((a, b) => a.turn - b.turn);
  return byPatient
    .map(({ position }) => ({ position, turn: nextTurn(`class ${dataset.records[rows[position]!]!.label}`) }))
    .sort((a, b) => a.turn - b.turn)
    .map(({ position }) => position);
}
