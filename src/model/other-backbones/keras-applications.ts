import type { BackboneDetails } from "../../runtime/settings";

/** What `keras.applications` does before a network sees an image: the `mode` of its `preprocess_input`. */
type Preparation = "torch" | "caffe" | "tf" | "inside";

const preparations: Record<
  Preparation,
  Pick<BackboneDetails, "channels" | "scale" | "mean" | "deviation">
> = {
  torch: { channels: "RGB", scale: 1 / 255, mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225] },
  caffe: { channels: "BGR", scale: 1, mean: [103.939, 116.779, 123.68], deviation: [1, 1, 1] },
  tf: { channels: "RGB", scale: 1 / 127.5, mean: [1, 1, 1], deviation: [1, 1, 1] },
  inside: { channels: "RGB", scale: 1, mean: [0, 0, 0], deviation: [1, 1, 1] },
};

/** Names of networks, each with the size in pixels that it was trained at. */
const networks: Record<Preparation, Readonly<Record<string, number>>> = {
  torch: { DenseNet121: 224, DenseNet169: 224, DenseNet201: 224 },
  caffe: { ResNet50: 224, ResNet101: 224, ResNet152: 224, VGG16: 224, VGG19: 224 },
  tf: {
    ...{ ResNet50V2: 224, ResNet101V2: 224, ResNet152V2: 224, MobileNet: 224, MobileNetV2: 224 },
    ...{ InceptionV3: 299, InceptionResNetV2: 299, Xception: 299, NASNetMobile: 224, NASNetLarge: 331 },
  },
  inside: {
    ...{ EfficientNetB0: 224, EfficientNetB1: 240, EfficientNetB2: 260, EfficientNetB3: 300 },
    ...{ EfficientNetB4: 380, EfficientNetB5: 456, EfficientNetB6: 528, EfficientNetB7: 600 },
    ...{ EfficientNetV2B0: 224, EfficientNetV2B1: 240, EfficientNetV2B2: 260, EfficientNetV2B3: 300 },
    ...{ EfficientNetV2S: 384, EfficientNetV2M: 480, EfficientNetV2L: 480 },
    ...{ ConvNeXtTiny: 224, ConvNeXtSmall: 224, ConvNeXtBase: 224, ConvNeXtLarge: 224, ConvNeXtXLarge: 224 },
    ...{ MobileNetV3Small: 224, MobileNetV3Large: 224 },
  },
};

const details: ReadonlyMap<string, BackboneDetails> = new Map(
  Object.entries(networks).flatMap(([preparation, sizes]) =>
    Object.entries(sizes).map(([name, inputSize]): [string, BackboneDetails] => [
      name,
      { ...preparations[preparation as Preparation], inputSize, interpolation: "bicubic" },
    ]),
  ),
);

/** Names of `keras.applications` that a backbone can be. */
export const kerasApplications: readonly string[] = [...details.keys()];

/**
 * How a network of `keras.applications` is fed, by its own `preprocess_input`; stretching is bicubic, as for ours.
 * Undefined where there is none of that name.
 *
 * Source: keras.applications of Keras 3.
 */
export const kerasApplicationDetails = (name: string): BackboneDetails | undefined => details.get(name);
