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

function groupImages(patients: readonly (string | null)[]): number[][] {
  const groups = new Map<string, number[]>();
  patients.forEach((patient, image) => {
    const key = patient === null ? `image ${image}` : `patient ${patient}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [image]);
    else group.push(image);
  });
  return [...groups.values()];
}

/** The label of most of a patient's images; of equally frequent ones the first. */
function labelOf(images: readonly number[], labels: ArrayLike<number>, classCount: number): number {
  const counts = new Array<number>(classCount).fill(0);
  for (const image of images) counts[labels[image]!]!++;
  return counts.indexOf(Math.max(...counts));
}

/**
 * Mean cross-entropy of patients: each has the mean of its images' probabilities, and counts once, however many images
 * there are of it. What early stopping should look at where the question is about new patients.
 *
 * @returns At least 0.
 *
 * @example
 * patientLoss({ probabilities: [0.5, 0.5, 1, 0], classCount: 2, labels: [0, 0], patients: ["a", "a"] });
 * // 0.287682072
 */
export function patientLoss({ probabilities, classCount, labels, patients }: ScoredImages): number {
  const groups = groupImages(patients);
  const losses = groups.map((images) => {
    const label = labelOf(images, labels, classCount);
    const sum = images.reduce((total, image) => total + probabilities[image * classCount + label]!, 0);
    return -Math.log(Math.max(smallestProbability, sum / images.length));
  });
  return losses.reduce((sum, loss) => sum + loss, 0) / groups.length;
}
