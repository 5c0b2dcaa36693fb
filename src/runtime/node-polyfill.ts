import util from "node:util";

// tfjs-node 4.22.0 still calls util.isNullOrUndefined, which Node 22 warns about and Node 23 removed.
const legacy = util as unknown as { isNullOrUndefined: (value: unknown) => boolean };
legacy.isNullOrUndefined = (value) => value === null || value === undefined;

// Read by the native library when it loads, so they are set before the first require.
process.env["TF_CPP_MIN_LOG_LEVEL"] ??= "2";
process.env["TF_ENABLE_ONEDNN_OPTS"] ??= "1";
process.env["TF_FORCE_GPU_ALLOW_GROWTH"] ??= "true";
