import { groupBy } from "../../runtime/group-by";

/** What is known of images that are scored together by patient. */
export interface ScoredImages {
  /** Shape [images, classCount], row by row. */
  probabilities: Float32Array;
  classCount: number;
  /** One class index an image. */
  labels: ArrayLike<number>;
  /** One an image; null where the patient is not known: such an image stands for itself. */
  patients: readonly (string | null)[];
}

/** Keeps a certain mistake from being infinitely bad. */
const smallestProbability = 1e-7;

/** Images of one patient and label: a patient with images of both kinds has two questions to be asked. */
function groupImages({ patients, labels }: Pick<ScoredImages, "patients" | "labels">): number[][] {
  const keyOf = (image: number) =>
    patients[image] === null ? `image ${image}` : `label ${labels[image]} of patient ${patients[image]}`;
  return [...groupBy(patients.keys(), keyOf).values()];
}

/**
 * Mean cross-entropy of patients: each has the mean of its images' probabilities, and counts once, however many images
 * there are of it. What early stopping should look at where the question is about new patients. A patient with images of
 * several labels, as in sets of patches, counts once for each: going by the label of most would ask about that one alone.
 *
 * @returns At least 0.
 *
 * @example
 * patientLoss({ probabilities: [0.5, 0.5, 1, 0], classCount: 2, labels: [0, 0], patients: ["a", "a"] });
 * // 0.287682072
 */
export function patientLoss({ probabilities, classCount, labels, patients }: ScoredImages): number {
  const groups = groupImages({ patients, labels });
  const losses = groups.map((images) => {
    const label = labels[images[0]!]!;
    const sum = images.reduce((total, image) => total + probabilities[image * classCount + label]!, 0);
    return -Math.log(Math.max(smallestProbability, sum / images.length));
  });
  return losses.reduce((sum, loss) => sum + loss, 0) / groups.length;
}
