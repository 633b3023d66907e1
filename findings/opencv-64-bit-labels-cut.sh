#!/usr/bin/env bash
# opencv-python-headless 5.0.0.93 (numpy 2.5.5; Python 3.12 or newer): label images of int64, numpy's own integers.
# Guess: since OpenCV 5 has matrices of 64-bit integers, resize keeps int64 labels or refuses them, and imwrite, which
# has no TIFF of such, refuses them.
# Seen: both take them, and work on int32: the upper 32 bits are cut off without a word. Label 2^40 + 3 becomes 3, which
# is another object's, and 2^31 + 5 negative; uint64 gives int32 too. uint32 and int32 are kept. 4.13.0.92 cuts too.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet opencv-python-headless==5.0.0.93 tifffile==2026.11.8 imagecodecs==2026.10.10 \
    numpy==2.5.5
cd "$folder"
venv/bin/python -W error - <<'EOF'
import cv2
import numpy as np
import tifffile

assert cv2.__version__ == "5.0.0"
labels = np.array([[3, 2**40 + 3], [2**31 + 5, 7]])
assert labels.dtype == np.int64
for dtype in (np.int64, np.uint64):
    resized = cv2.resize(labels.astype(dtype), (4, 4), interpolation=cv2.INTER_NEAREST)
    assert cv2.imwrite("labels.tif", labels.astype(dtype))
    written = tifffile.imread("labels.tif")
    print(np.dtype(dtype), "resized", resized.dtype, resized[::2, ::2].tolist())
    print(np.dtype(dtype), "written", written.dtype, written.tolist())
    for found in (resized[::2, ::2], written):
        assert found.dtype == np.int32
        assert found.tolist() == [[3, 3], [-(2**31) + 5, 7]]
unsigned = np.array([[3, 2**31 + 5], [2**32 - 1, 7]], np.uint32)
assert cv2.imwrite("labels.tif", unsigned)
assert np.array_equal(tifffile.imread("labels.tif"), unsigned)
print("as described")
EOF
