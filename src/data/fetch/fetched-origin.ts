import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { writeWholeFile } from "../../runtime/files/write-file";
import { findImages } from "../layouts/folder-walk";
import type { CheckedSet } from "./check-set";
import type { FetchedDataset, Job } from "./fetch-job";
import { withoutSecrets } from "./http-client";
import { clearStaging, exists, type Staging } from "./staging";

/** What stands in a fetched set's SOURCE.json. */
interface Origin {
  source: string;
  address: string;
  magnification: number | null;
  fetched: string;
  sha256: string | null;
  images: number;
  byClass: Record<string, number>;
}

const originFile = "SOURCE.json";

async function readOrigin(folder: string): Promise<Origin | null> {
  try {
    return JSON.parse(await readFile(join(folder, originFile), "utf8")) as Origin;
  } catch {
    return null;
  }
}

/** The same set from an earlier call, or null if there is nothing. @throws Error if something else is in the place. */
export async function findPresent({ source, target, options }: Job): Promise<FetchedDataset | null> {
  clearStaging(target);
  if (!(await exists(target))) return null;
  const origin = await readOrigin(target);
  const isSame =
    source !== null &&
    origin?.source === source.name &&
    origin.magnification === (options.magnification ?? null);
  if (origin !== null && isSame) {
    const { images } = await findImages(target);
    const { byClass, sha256 } = origin;
    if (images.length >= origin.images) {
      return { folder: target, images: origin.images, byClass, sha256, warnings: [], alreadyThere: true };
    }
    throw new Error(
      `${target} should hold ${origin.images} images but holds ${images.length}. Move it away and run this again.`,
    );
  }
  throw new Error(`${target} exists and is not replaced. Move it away, or name another folder with --into.`);
}

/** Notes in the set itself where it came from. */
export async function writeOrigin(
  job: Job,
  staging: Staging,
  checked: CheckedSet,
  sha256: string | null,
): Promise<void> {
  const origin: Origin = {
    source: job.source?.name ?? job.title,
    address: job.source === null ? basename(job.origin) : withoutSecrets(job.origin),
    magnification: job.options.magnification ?? null,
    fetched: new Date().toISOString(),
    sha256,
    images: checked.images,
    byClass: checked.byClass,
  };
  await writeWholeFile(join(staging.content, originFile), `${JSON.stringify(origin, null, 2)}\n`);
}
