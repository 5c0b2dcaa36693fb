import { setUpRecord } from "../set-up-record";
import { usesGpu } from "../tensorflow";
import { computingAddon } from "./computing-addon";
import { type GraphicsCard, graphicsCard, isDriverTooOld, oldestDriver } from "./graphics-card";

/** Why a card that is there computes nothing, and what to do. */
export interface UnusedGpu {
  card: GraphicsCard;
  reason: string;
  remedy: string;
}

/** What may keep TensorFlow from a card. */
export interface UnusedGpuFacts {
  variant: "cpu" | "cuda" | undefined;
  /** CUDA_VISIBLE_DEVICES; undefined where it is not set. */
  visibleDevices: string | undefined;
  /** Each of CUDA's libraries, with null where TensorFlow's loader opens it, else with its reason. */
  libraries: () => Record<string, string | null>;
}

/** Says why a card isn't used, the likeliest cause first. */
export function explainUnusedGpu(card: GraphicsCard, facts: UnusedGpuFacts): Omit<UnusedGpu, "card"> {
  const { variant, visibleDevices, libraries } = facts;
  if (visibleDevices !== undefined && !/^\s*(\d|GPU|MIG)/.test(visibleDevices)) {
    return {
      reason: `CUDA_VISIBLE_DEVICES ("${visibleDevices}") hides it`,
      remedy: "Unset it to use the card.",
    };
  }
  if (variant !== "cuda") {
    const remedy = "npm run setup -- --tensorflow cuda installs the TensorFlow that can use it.";
    return { reason: "TensorFlow for CPUs is installed", remedy };
  }
  if (isDriverTooOld(card.driver)) {
    const remedy = `Update the driver to ${oldestDriver} or later, which CUDA 12 needs.`;
    return { reason: `its driver is ${card.driver}, too old for CUDA 12`, remedy };
  }
  const missing = Object.entries(libraries()).filter(([, problem]) => problem !== null);
  if (missing.length > 0) {
    const names = missing.map(([name, problem]) => `${name} (${/'([^']+)'/.exec(problem!)?.[1] ?? problem})`);
    const ofDriver = missing.some(([name]) => name === "CUDA driver");
    const remedy = ofDriver
      ? "libcuda.so.1 comes with NVIDIA's driver, in a container with NVIDIA's container toolkit: install it, then look again."
      : "Run npm run setup, which makes it found.";
    return { reason: `TensorFlow's loader doesn't find ${names.join(", ")}`, remedy };
  }
  const remedy = "TF_CPP_MIN_LOG_LEVEL=0 npm run doctor shows what TensorFlow says of it when it starts.";
  return { reason: "TensorFlow did not take it, although driver and libraries are there", remedy };
}

/** The card that is there while TensorFlow computes on the CPU, and why; null where a GPU computes or none is there. */
export function findUnusedGpu(): UnusedGpu | null {
  if (usesGpu) return null;
  const card = graphicsCard();
  if (card === null) return null;
  const facts = {
    variant: setUpRecord().variant,
    visibleDevices: process.env["CUDA_VISIBLE_DEVICES"],
    libraries: () => computingAddon().askLoader(),
  };
  return { card, ...explainUnusedGpu(card, facts) };
}

/** Says it in one line; null where there is nothing to say. */
export function unusedGpuNotice(found: UnusedGpu | null = findUnusedGpu()): string | null {
  if (found === null) return null;
  return `${found.card.name} is not used, TensorFlow computes on the CPU: ${found.reason}. ${found.remedy}`;
}
