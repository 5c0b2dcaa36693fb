#!/usr/bin/env bash
# Pillow 13.0.0: a grey PNG of 4 bits whose tRNS chunk names a transparent grey loses that transparency in
# convert("RGBA"). The samples are scaled to 8 bits (5 becomes 85), the transparent grey stays 5.
# PNG (W3C, third edition, 11.3.2.1): tRNS of a grey image is one sample, in the image's own bit depth.
# Seen: the pixel of grey 5 has alpha 255; in the same image saved with 8 bits its alpha is 0.
# Exits 0 while this is so, 1 when it has changed.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" -q --disable-pip-version-check install pillow==13.0.0
"$work/venv/bin/python" - <<'PY'
import io, struct, sys, zlib
from PIL import Image

def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

def grey(depth, rows, transparent):
    header = struct.pack(">IIBBBBB", 2, 1, depth, 0, 0, 0, 0)
    parts = (b"IHDR", header), (b"tRNS", struct.pack(">H", transparent)), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)

def alphas(png):
    return list(Image.open(io.BytesIO(png)).convert("RGBA").tobytes()[3::4])

# Two pixels: grey 5, which is transparent, and grey 9.
four = alphas(grey(4, b"\x00\x59", 5))
eight = alphas(grey(8, b"\x00\x55\x99", 0x55))
print("alpha of two pixels, the first one transparent: 4 bits", four, "8 bits", eight)
sys.exit(0 if four == [255, 255] and eight == [0, 255] else 1)
PY
