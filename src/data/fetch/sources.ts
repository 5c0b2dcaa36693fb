import { findKaggleAuthorization } from "./kaggle-credentials";

/** Images of each class. */
export type ClassCounts = Readonly<Record<string, number>>;

/** A published data set and where it is. */
export interface DataSource {
  /** Also the folder's name under data/. */
  name: string;
  /** For people. */
  title: string;
  url: string;
  /** What there is of each class, by magnification; complete means exactly this. */
  expected: Readonly<Record<number, ClassCounts>>;
  /** Of the archive, where its publisher tells. */
  sha256: string | null;
  /** Mean size of an image's file, to ask for room where the server doesn't tell the archive's length. */
  imageBytes: number;
  /** What to do where the server says 401, 403 or 404. */
  help: string;
  /** The value of an Authorization header for the source's own server. */
  authorize?: () => Promise<string | null>;
}

/** Mean of 56 of BreaKHis' PNG files of 700 × 460 pixels, which are between 0.35 and 0.88 MB large. */
const breakhisImageBytes = 570_000;

/** 400× in the set on Kaggle, whose description counts 547 benign and 1,146 malignant images in train and test. */
const kaggleCounts = { 400: { benign: 547, malignant: 1_146 } };

/**
 * The sets that are known here. None of their publishers gives a checksum, so what arrives is checked by the archive's
 * own checksums, by the number of images and by decoding each.
 */
export const dataSources: readonly DataSource[] = [
  {
    name: "perceptilabs",
    title: "PerceptiLabs' BreaKHis 400×",
    url: "https://codeload.github.com/PerceptiLabs/breakhis-400x/tar.gz/HEAD",
    // The repository credits the set on Kaggle and publishes no count of its own.
    expected: kaggleCounts,
    sha256: null,
    imageBytes: breakhisImageBytes,
    help: "See whether https://github.com/PerceptiLabs/breakhis-400x is still there, or take the source kaggle",
  },
  {
    name: "kaggle",
    title: "BreaKHis 400× from Kaggle",
    url: "https://www.kaggle.com/api/v1/datasets/download/forderation/breakhis-400x",
    expected: kaggleCounts,
    sha256: null,
    imageBytes: breakhisImageBytes,
    help:
      "Kaggle may want to know you: create a token in your Kaggle settings and put its kaggle.json into ~/.kaggle, " +
      "or set KAGGLE_API_TOKEN",
    authorize: () => findKaggleAuthorization(),
  },
  {
    name: "original",
    title: "the original BreaKHis",
    url: "http://www.inf.ufpr.br/vri/databases/BreaKHis_v1.tar.gz",
    // Spanhol et al., IEEE TBME 63(7), 2016, table I; the authors' page counts 7,909 images in all.
    expected: {
      40: { benign: 625, malignant: 1_370 },
      100: { benign: 644, malignant: 1_437 },
      200: { benign: 623, malignant: 1_390 },
      400: { benign: 588, malignant: 1_232 },
    },
    sha256: null,
    imageBytes: breakhisImageBytes,
    help:
      "Look for the present address of BreaKHis_v1.tar.gz at " +
      "https://web.inf.ufpr.br/vri/databases/breast-cancer-histopathological-database-breakhis/ and pass it with --mirror",
  },
];

/** Counts of one magnification, or of all together. */
export function expectedCounts(source: DataSource, magnification: number | null): Record<string, number> {
  const total: Record<string, number> = {};
  for (const [scale, counts] of Object.entries(source.expected)) {
    if (magnification !== null && Number(scale) !== magnification) continue;
    for (const [name, count] of Object.entries(counts)) total[name] = (total[name] ?? 0) + count;
  }
  return total;
}

/** What the wanted images take on a disk, roughly. */
export function usualBytes(source: DataSource, magnification: number | null): number {
  const images = Object.values(expectedCounts(source, magnification)).reduce((sum, count) => sum + count, 0);
  return images * source.imageBytes;
}

/** The share of a source's images that have a magnification, in [0, 1]. */
export function shareOf(source: DataSource, magnification: number | null): number {
  const sum = (scale: number | null) =>
    Object.values(expectedCounts(source, scale)).reduce((one, other) => one + other, 0);
  const all = sum(null);
  return all === 0 ? 1 : sum(magnification) / all;
}
