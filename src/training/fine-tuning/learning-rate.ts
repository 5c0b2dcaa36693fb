/** How a learning rate goes over a training. */
export interface LearningRateCourse {
  /** Steps in all, at least 1. */
  steps: number;
  /** Share of the steps over which it rises from near 0, in [0, 1). */
  warmUp: number;
}

/**
 * What the learning rate is multiplied with at a step: rises in a line while warming up, then falls as half a cosine.
 *
 * Warm-up keeps Adam's first steps small, when it knows little of the gradients (Goyal et al. 2017); the cosine ends
 * with steps near 0 (Loshchilov and Hutter, ICLR 2017).
 *
 * @param step - From 0 on.
 * @returns In (0, 1]; 0 only after the last step.
 *
 * @example
 * learningRateFactor(0, { steps: 10, warmUp: 0.2 }); // 0.5
 * learningRateFactor(1, { steps: 10, warmUp: 0.2 }); // 1
 * learningRateFactor(6, { steps: 10, warmUp: 0.2 }); // 0.5
 */
export function learningRateFactor(step: number, { steps, warmUp }: LearningRateCourse): number {
  const warmSteps = Math.ceil(warmUp * steps);
  if (step < warmSteps) return (step + 1) / warmSteps;
  return 0.5 * (1 + Math.cos(Math.PI * Math.min(1, (step - warmSteps) / Math.max(1, steps - warmSteps))));
}

/**
 * How much slower each stage learns than the highest: lower stages know what all images have in common, and have less to
 * learn (Howard and Ruder, ACL 2018).
 *
 * @param stages - Trained ones, lowest first.
 * @param decay - In (0, 1]: each stage learns this times as fast as the one above it.
 *
 * @example
 * stageFactors(["conv3", "conv4", "conv5"], 0.5); // [0.25, 0.5, 1]
 */
export function stageFactors(stages: readonly unknown[], decay: number): number[] {
  return stages.map((_, i) => decay ** (stages.length - 1 - i));
}
