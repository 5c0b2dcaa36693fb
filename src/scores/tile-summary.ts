import { type PicturePrediction, suspicionOf, type TileAnswer } from "../model/pictures/predict-tiles";

/** What a picture's tiles say together; no diagnosis, and tested on no slide. */
export interface TileSummary {
  /** Tiles that are not empty. */
  answered: number;
  empty: number;
  /** Tiles answered with each class, by label. */
  byClass: number[];
  /** Share of the answered tiles that are called positive, in [0, 1]; null where no class is looked for, NaN without tiles. */
  positiveShare: number | null;
  /** Tiles that are unlike the training images. */
  unlike: number;
  /** The same share among the tiles that are like the training images. */
  positiveShareOfLike: number | null;
  /** Mean probability of the most suspicious tiles, those that are shown; NaN without tiles. */
  meanOfDeciding: number;
}

/** Says what a picture's tiles say together. */
export function summarizeTiles(
  { tiles, empty, deciding }: Pick<PicturePrediction, "tiles" | "empty" | "deciding">,
  { classes, positiveClass }: { classes: readonly string[]; positiveClass: number | null },
): TileSummary {
  const like = tiles.filter(({ unlike }) => unlike.length === 0);
  const shareOf = (some: readonly TileAnswer[]) =>
    positiveClass === null
      ? null
      : some.filter(({ predicted }) => predicted === positiveClass).length / some.length;
  const suspicions = deciding.map(({ tile }) => suspicionOf(tile, positiveClass));
  return {
    answered: tiles.length,
    empty,
    byClass: classes.map((_, label) => tiles.filter(({ predicted }) => predicted === label).length),
    positiveShare: shareOf(tiles),
    unlike: tiles.length - like.length,
    positiveShareOfLike: shareOf(like),
    meanOfDeciding: suspicions.reduce((sum, value) => sum + value, 0) / suspicions.length,
  };
}
