import type { OpenBackbone } from "../../../src/model/backbones/architecture";
import { buildResnet50 } from "../../../src/model/backbones/resnet50";
import type { WeightTensor } from "../../../src/model/backbones/weight-tensors";
import { createRandom } from "../../../src/runtime/random";

const stages = [
  { name: "conv2", channels: 64, blocks: 3 },
  { name: "conv3", channels: 128, blocks: 4 },
  { name: "conv4", channels: 256, blocks: 6 },
  { name: "conv5", channels: 512, blocks: 3 },
];

/** ResNet50 with random weights, in the names and shapes of Keras' file: for tests that need no features of use. */
export function randomResnet50(inputSize: number): OpenBackbone {
  const random = createRandom(50);
  const tensors = new Map<string, WeightTensor>();
  const put = (name: string, shape: number[], value: () => number) => {
    const count = shape.reduce((product, size) => product * size, 1);
    tensors.set(name, { shape, values: Float32Array.from({ length: count }, value) });
  };
  /** @param gain - How large the output is, the input's size being 1. */
  const convolution = (name: string, size: number, inputs: number, outputs: number, gain = 1) => {
    const bound = Math.sqrt(6 / (size * size * inputs));
    put(`${name}_conv/kernel`, [size, size, inputs, outputs], () => bound * (2 * random.next() - 1));
    put(`${name}_conv/bias`, [outputs], () => 0.1 * random.next());
    put(`${name}_bn/gamma`, [outputs], () => gain * (0.5 + random.next()));
    for (const kind of ["beta", "moving_mean"])
      put(`${name}_bn/${kind}`, [outputs], () => 0.1 * random.next());
    put(`${name}_bn/moving_variance`, [outputs], () => 0.5 + random.next());
  };
  convolution("conv1", 7, 3, 64, 0.02);
  let inputs = 64;
  for (const { name, channels, blocks } of stages) {
    for (let block = 1; block <= blocks; block++) {
      const prefix = `${name}_block${block}`;
      if (block === 1) convolution(`${prefix}_0`, 1, inputs, 4 * channels, 0.5);
      convolution(`${prefix}_1`, 1, inputs, channels);
      convolution(`${prefix}_2`, 3, channels, channels);
      convolution(`${prefix}_3`, 1, channels, 4 * channels, 0.3);
      inputs = 4 * channels;
    }
  }
  const file = { path: "random", sha256: "00", md5: "00", tensors };
  return buildResnet50(
    file,
    { name: "random", source: "a test", sha256: "00", pretrained: false },
    inputSize,
  );
}
