#!/usr/bin/env bash
# Pillow 13.0.0 resizes in another order than 12.0.0: an image that is made smaller and is higher than wide is shrunk along
# its columns first, where 12.0.0 goes along the rows first for every image. The values are rounded to 8 bits between the
# two passes, so that the same file, filter and size come to other pixels: here 460 x 700 to 224 x 224, BICUBIC, by up
# to three levels in a fifth of the values. Images that are wider than high, and ones that are enlarged, keep their pixels.
# Whoever feeds a network with Image.resize, as timm's and Hugging Face's preprocessing do, gets other features from such a file
# after the update. Exits 0 while this is so.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cd "$work"
cat > try.py <<'PY'
import sys
import numpy as np
import PIL
from PIL import Image

def first_axis(width, height, size=224):
    pixels = np.random.default_rng(1).integers(0, 256, (height, width, 3), dtype=np.uint8)
    image = Image.fromarray(pixels)
    whole = np.asarray(image.resize((size, size), Image.BICUBIC))
    rows_first = np.asarray(image.resize((size, height), Image.BICUBIC).resize((size, size), Image.BICUBIC))
    columns_first = np.asarray(image.resize((width, size), Image.BICUBIC).resize((size, size), Image.BICUBIC))
    if (whole == rows_first).all() and not (whole == columns_first).all():
        return "rows", whole
    if (whole == columns_first).all() and not (whole == rows_first).all():
        return "columns", whole
    return "neither", whole

sizes = [(700, 460), (460, 700), (50, 80)]
found = [first_axis(*size) for size in sizes]
np.savez(sys.argv[1], **{f"s{i}": whole for i, (_, whole) in enumerate(found)})
print(PIL.__version__, ", ".join(f"{w} x {h}: {axis} first" for (w, h), (axis, _) in zip(sizes, found)))
sys.exit(0 if [axis for axis, _ in found] == sys.argv[2].split() else 1)
PY
for version in 12.0.0 13.0.0; do
  python3 -m venv "v$version"
  "v$version/bin/pip" install -q --disable-pip-version-check "pillow==$version" numpy==2.2.6
done
v12.0.0/bin/python try.py old.npz "rows rows rows"
v13.0.0/bin/python try.py new.npz "rows columns rows"
v13.0.0/bin/python - <<'PY'
import sys
import numpy as np
old, new = np.load("old.npz"), np.load("new.npz")
share = [float((old[name] != new[name]).mean()) for name in ("s0", "s1", "s2")]
most = int(np.abs(old["s1"].astype(int) - new["s1"]).max())
print(f"12.0.0 against 13.0.0, values that differ: {share[0]:.1%}, {share[1]:.1%} (by up to {most}), {share[2]:.1%}")
sys.exit(0 if share[0] == 0 and share[1] > 0 and share[2] == 0 else 1)
PY
