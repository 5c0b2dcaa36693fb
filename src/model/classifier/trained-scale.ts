import { breakhisMicrons, breakhisSize, parseBreakhisName } from "../../data/layouts/breakhis";
import type { ImageRecord } from "../../data/record";
import { groupBy } from "../../runtime/group-by";

/** How large what training images show is, for images of one magnification. */
export interface TrainedScale {
  /** As the set calls it: 40, 100, 200 or 400 in BreaKHis; null where nothing tells it. */
  magnification: number | null;
  /** Training images of it. */
  images: number;
  /** In pixels, of most of them. */
  width: number;
  height: number;
  /** µm a pixel; null where nothing tells it. */
  microns: number | null;
}

type Looked = Pick<ImageRecord, "file" | "magnification" | "width" | "height">;

/** Images are the whole field, perhaps made smaller, if their proportions are those of the field. */
const aspectTolerance = 0.03;

/** Known of BreaKHis alone, by the images' names, where they show the whole field. */
function micronsOf({ file, width, height }: Looked): number | null {
  const found = breakhisMicrons[parseBreakhisName(file)?.magnification ?? 0];
  const aspect = (width * breakhisSize.height) / (height * breakhisSize.width);
  if (found === undefined || Math.abs(aspect - 1) > aspectTolerance) return null;
  return (found * breakhisSize.width) / width;
}

const unknown = 0;

/** Says at which scales a classifier's training images were, by magnification. */
export function describeScales(records: readonly Looked[]): TrainedScale[] {
  const scales = [...groupBy(records, ({ magnification }) => magnification ?? unknown)].map(
    ([found, images]) => {
      const sizes = [...groupBy(images, ({ width, height }) => `${width} × ${height}`).values()];
      const usual = sizes.reduce((most, some) => (some.length > most.length ? some : most));
      const { width, height } = usual[0]!;
      const microns = usual.every((image) => micronsOf(image) !== null) ? micronsOf(usual[0]!) : null;
      const magnification = found === unknown ? null : found;
      return { magnification, images: images.length, width, height, microns };
    },
  );
  return scales.sort((one, other) => (one.magnification ?? 0) - (other.magnification ?? 0));
}
