import { groupBy } from "../../runtime/group-by";
import type { Settings } from "../../runtime/settings";
import { balancedClassWeights, countClasses } from "./class-weights";

/** The images of one part, and whose they are. */
export interface WeighedImages {
  /** One class index an image. */
  labels: ArrayLike<number>;
  /** One an image; null where the patient is not known: such an image stands for itself. */
  patients: readonly (string | null)[];
}

/**
 * Weighs images so that the patients of a class have the same share in the loss, however many images there are of each,
 * and so have the classes.
 *
 * A head that learns by image learns most about whoever was photographed most. What is asked later is how a new patient
 * is told, and of those each counts once. A patient with images of several classes counts once in each.
 *
 * @returns One weight an image; their mean is 1.
 * @throws RangeError if a label is not an integer in [0, classCount).
 *
 * @example
 * patientWeights({ labels: [0, 0, 0, 1], patients: ["a", "a", "b", "c"] }, 2); // [0.5, 0.5, 1, 2]
 */
export function patientWeights({ labels, patients }: WeighedImages, classCount: number): number[] {
  const present = countClasses(labels, classCount).filter((count) => count > 0).length;
  const keyOf = (image: number) => patients[image] ?? `\0image ${image}`;
  const weights = new Array<number>(labels.length).fill(0);
  for (const images of groupBy(weights.keys(), (image) => labels[image]!).values()) {
    const byPatient = groupBy(images, keyOf);
    for (const group of byPatient.values()) {
      for (const image of group) weights[image] = labels.length / (present * byPatient.size * group.length);
    }
  }
  return weights;
}

/**
 * How much each image counts in the loss, of what is learned from and of what decides when to stop.
 *
 * @param how - "balanced" weighs the classes of both parts as they are frequent in training; "patients" the patients of
 * each part in that part.
 * @throws RangeError if classes are weighed and one has no training image.
 */
export function weighImages(
  how: Settings["classWeights"],
  { train, validation }: Record<"train" | "validation", WeighedImages>,
  classCount: number,
): Record<"train" | "validation", number[]> {
  const weighed = (weigh: (part: WeighedImages) => number[]) => ({
    train: weigh(train),
    validation: weigh(validation),
  });
  if (how === "patients") return weighed((part) => patientWeights(part, classCount));
  const classes =
    how === "balanced"
      ? balancedClassWeights(train.labels, classCount)
      : new Array<number>(classCount).fill(1);
  return weighed(({ labels }) => Array.from(labels, (label) => classes[label]!));
}
