/** The four vectors of a BatchNorm layer, one value a channel, and what keeps its division from failing. */
export interface BatchNormWeights {
  gamma: Float32Array;
  beta: Float32Array;
  movingMean: Float32Array;
  /** At least 0. */
  movingVariance: Float32Array;
  epsilon: number;
}

/** A convolution that does its BatchNorm's work too. */
export interface FoldedConvolution {
  /** In the order of the kernel given: the last axis runs over output channels. */
  kernel: Float32Array;
  /** Shape [channels]. */
  bias: Float32Array;
}

/**
 * Folds a BatchNorm with frozen statistics into the convolution before it.
 *
 * `gamma · (conv(x) + bias − mean) / √(variance + ε) + beta` is linear in the convolution's output, so
 * scaling each output channel of the kernel and moving its bias gives the same numbers up to rounding.
 *
 * @param kernel - Any shape whose last axis is the output channel; for a depthwise kernel [h, w, channels, 1].
 * @param bias - Shape [channels], or null where the convolution has none.
 * @throws RangeError if the kernel's length is no multiple of the channels.
 */
export function foldBatchNorm(
  kernel: Float32Array,
  bias: Float32Array | null,
  batchNorm: BatchNormWeights,
): FoldedConvolution {
  const { gamma, beta, movingMean, movingVariance, epsilon } = batchNorm;
  const channels = gamma.length;
  if (kernel.length % channels !== 0) {
    throw new RangeError(`A kernel of ${kernel.length} values has no ${channels} output channels.`);
  }
  // In double precision, so that each folded weight is rounded once.
  const scale = new Float64Array(channels);
  const foldedBias = new Float32Array(channels);
  for (let channel = 0; channel < channels; channel++) {
    scale[channel] = gamma[channel]! / Math.sqrt(movingVariance[channel]! + epsilon);
    foldedBias[channel] = ((bias?.[channel] ?? 0) - movingMean[channel]!) * scale[channel]! + beta[channel]!;
  }
  const foldedKernel = new Float32Array(kernel.length);
  for (let start = 0; start < kernel.length; start += channels) {
    for (let channel = 0; channel < channels; channel++) {
      foldedKernel[start + channel] = kernel[start + channel]! * scale[channel]!;
    }
  }
  return { kernel: foldedKernel, bias: foldedBias };
}
