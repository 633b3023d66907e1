#!/usr/bin/env bash
# tifffile 2026.11.8 (Python 3.12 or newer): images that are one pixel wide.
# Guess: a stack of 2 channels, 300 rows and 1 column is written and read back like one of 2 columns.
# Seen: as an OME-TIFF it is refused ("shape does not match stored shape"); in ImageJ's layout it is written without a
# word and comes back as one plane of 2 rows and 300 columns, with a message of damaged ImageJ metadata in the log. The
# last axis, of size 1, is taken for samples. One row, or two columns, are written and read as expected.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet tifffile==2026.11.8 numpy==2.5.5
cd "$folder"
venv/bin/python - <<'EOF'
import numpy as np
import tifffile


def read_back(shape, name, **options):
    stack = np.arange(np.prod(shape), dtype=np.uint16).reshape(shape)
    try:
        tifffile.imwrite(name, stack, metadata={"axes": "CYX"}, **options)
    except ValueError as error:
        return f"ValueError: {error}"
    with tifffile.TiffFile(name) as tiff:
        return tiff.series[0].axes, tiff.series[0].shape


found = {
    (shape, name): read_back(shape, name, **({"imagej": True} if name == "imagej.tif" else {}))
    for shape in ((2, 300, 2), (2, 1, 300), (2, 300, 1))
    for name in ("stack.ome.tif", "imagej.tif")
}
for case, result in found.items():
    print(*case, result)
for shape in ((2, 300, 2), (2, 1, 300)):
    assert found[shape, "stack.ome.tif"] == found[shape, "imagej.tif"] == ("CYX", shape)
assert found[(2, 300, 1), "stack.ome.tif"] == "ValueError: shape does not match stored shape"
assert found[(2, 300, 1), "imagej.tif"] == ("YX", (2, 300))
print("as described")
EOF
