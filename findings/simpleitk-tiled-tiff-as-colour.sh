#!/usr/bin/env bash
# SimpleITK 2.5.7 (numpy 2.5.5; Python 3.12 or newer): TIFFs whose pixels are stored in tiles, as most whole slides are.
# Guess: an OME-TIFF of 3 channels of uint16 in tiles is read like the same one in strips: (3, rows, columns) of uint16.
# Seen: it comes as (3, rows, columns, 4) of uint8: a colour picture, red, green and blue alike, with the upper byte of
# each pixel; and where the last column of tiles is not full, as in most images, its pixels are wrong. ReadImage raises
# nothing; a warning of ITK on stderr tells of a "suboptimal 8-bit RGBA reader" and loss of data. uint8 in tiles gets
# four samples too; float32 and uint32 labels in tiles are refused. Strips are read as they are.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet simpleitk==2.5.7 tifffile==2026.11.8 imagecodecs==2026.10.10 numpy==2.5.5
cd "$folder"
venv/bin/python - <<'EOF'
import numpy as np
import SimpleITK
import tifffile

planes = np.random.default_rng(0).integers(0, 60000, (3, 64, 90), dtype=np.uint16)


def read(pixels, **options):
    tifffile.imwrite(
        "image.ome.tif", pixels, photometric="minisblack", compression="zlib", metadata={"axes": "CYX"}, **options
    )
    try:
        return SimpleITK.GetArrayFromImage(SimpleITK.ReadImage("image.ome.tif"))
    except RuntimeError as error:
        return str(error)


strips, tiles = read(planes, rowsperstrip=16), read(planes, tile=(32, 32))
wrong = (tiles[..., 64:, 0] != planes[..., 64:] >> 8).mean()
print("strips", strips.dtype, strips.shape, "tiles", tiles.dtype, tiles.shape, f"{wrong:.0%} wrong in the last column")
assert np.array_equal(strips, planes)
assert (tiles.dtype, tiles.shape) == (np.uint8, (3, 64, 90, 4))
assert all(np.array_equal(tiles[..., :64, sample], planes[..., :64] >> 8) for sample in range(3))
assert wrong > 0.5
assert read((planes >> 8).astype(np.uint8), tile=(32, 32)).shape == (3, 64, 90, 4)
for dtype in (np.float32, np.uint32):
    assert np.array_equal(read(planes.astype(dtype), rowsperstrip=16), planes)
    assert "can not handle images with 32-bit samples" in read(planes.astype(dtype), tile=(32, 32))
print("as described")
EOF
