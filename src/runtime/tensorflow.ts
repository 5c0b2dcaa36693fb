import "./node-polyfill";
import "./device/native-library";

import * as tf from "@tensorflow/tfjs-node-gpu";
import { prepareArithmetic } from "./device/arithmetic";

/** Whether TensorFlow computes on a GPU. */
export const usesGpu: boolean = (tf.backend() as unknown as { isUsingGpuDevice: boolean }).isUsingGpuDevice;
prepareArithmetic(usesGpu);

/**
 * TensorFlow.js on the native TensorFlow of `.venv`, loaded once per process.
 *
 * Every module takes it from here, so that the polyfill and the environment come first.
 */
export { tf };
