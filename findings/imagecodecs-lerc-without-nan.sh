#!/usr/bin/env bash
# imagecodecs 2026.10.10 with LERC 4.2.0 (tifffile 2026.11.8, numpy 2.5.5; Python 3.12 or newer): floats that have NaN.
# Guess: lerc_encode, which keeps all numbers where no error is allowed, as by default, keeps NaN; so does tifffile with
# compression="lerc".
# Seen: NaN comes back as 0, without a word; all other numbers, infinities too, are as before. An image of NaN alone
# comes back as zeros. Where NaN marks what lies outside of the tissue, the mean of an image changes. zlib and JPEG XL
# keep it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet imagecodecs==2026.10.10 tifffile==2026.11.8 numpy==2.5.5
cd "$folder"
venv/bin/python -W error - <<'EOF'
import imagecodecs
import numpy as np
import tifffile

print(imagecodecs.lerc_version())
assert imagecodecs.lerc_version() == "lerc 4.2.0"
for dtype in (np.float32, np.float64):
    pixels = np.random.default_rng(0).normal(10, 1, (64, 64)).astype(dtype)
    pixels[10:20, 10:20] = np.nan
    pixels[0, 0] = np.inf
    zeroed = np.where(np.isnan(pixels), 0, pixels)
    assert np.array_equal(imagecodecs.lerc_decode(imagecodecs.lerc_encode(pixels)), zeroed)
    found = {}
    for compression in ("lerc", "zlib") + (("jpegxl",) if dtype is np.float32 else ()):
        tifffile.imwrite("image.tif", pixels, compression=compression)
        found[compression] = tifffile.imread("image.tif")
    print(np.dtype(dtype), {name: int(np.isnan(read).sum()) for name, read in found.items()}, "of 100 NaN are there")
    assert np.array_equal(found.pop("lerc"), zeroed)
    assert all(np.array_equal(read, pixels, equal_nan=True) for read in found.values())
    nothing = np.full((8, 8), np.nan, dtype)
    assert not imagecodecs.lerc_decode(imagecodecs.lerc_encode(nothing)).any()
print("as described")
EOF
