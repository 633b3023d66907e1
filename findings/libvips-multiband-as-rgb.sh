#!/usr/bin/env bash
# libvips 8.18.7 (pyvips-binary, pyvips 3.2.0; Python 3.12 or newer): channels of fluorescence, saved as TIFF.
# Guess: 3 channels of uint16 whose interpretation is "multiband" are written by tiffsave as grey (MinIsBlack) with
# extra samples.
# Seen: they are written as RGB without extra samples, which cannot be told from a colour picture; 5 channels, which
# pyvips itself calls multiband, as RGB with two extra samples. Interpretation "b-w" gives grey with extra samples, of
# type unassociated alpha. Pixels are unchanged. libvips's author called RGB deliberate in 2019 (libvips issue 1253).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet pyvips-binary==8.18.7 pyvips==3.2.0 tifffile==2026.11.8 numpy==2.5.5
cd "$folder"
venv/bin/python - <<'EOF'
import numpy as np
import pyvips
import tifffile

assert [pyvips.version(part) for part in range(3)] == [8, 18, 7]


def written(bands, interpretation):
    pixels = np.arange(20 * 30 * bands, dtype=np.uint16).reshape(20, 30, bands)
    image = pyvips.Image.new_from_array(pixels)
    if interpretation:
        image = image.copy(interpretation=interpretation)
    name = f"{bands}-{image.interpretation}.tif"
    image.tiffsave(name)
    with tifffile.TiffFile(name) as tiff:
        page = tiff.pages[0]
        assert np.array_equal(page.asarray(), pixels)
        return image.interpretation, page.photometric.name, [sample.name for sample in page.extrasamples]


found = [written(3, "multiband"), written(5, None), written(3, "b-w")]
for result in found:
    print(*result)
assert found == [
    ("multiband", "RGB", []),
    ("multiband", "RGB", ["UNASSALPHA"] * 2),
    ("b-w", "MINISBLACK", ["UNASSALPHA"] * 2),
]
print("as described")
EOF
