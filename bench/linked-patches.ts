import { link, mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";

/**
 * Gives patches so many names, as if each patient had more of them: thousands of files on the disk stand for hundreds of
 * thousands of images.
 *
 * @param files - Paths below `from`, in IDC's naming: `<patient>/<class>/<patient>_idx5_x<X>_y<Y>_class<C>.png`.
 */
export async function linkPatches(
  files: readonly string[],
  from: string,
  count: number,
  target: string,
): Promise<void> {
  for (let index = 0; index < count; index++) {
    const file = files[index % files.length]!;
    const round = Math.floor(index / files.length);
    const name = join(target, round === 0 ? file : file.replace(/_x(\d+)_/, `_x${round}0000$1_`));
    await mkdir(dirname(name), { recursive: true });
    await link(join(from, file), name);
  }
}
