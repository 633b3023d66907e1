#!/usr/bin/env bash
# spatialdata 0.8.0 (scikit-image 0.26.0, geopandas 1.1.4, zarr 3.4.2; Python 3.13): labels of cells made polygons.
# Guess: to_polygons draws along the edges of pixels: a polygon has its label's area, lies where get_centroids says, and
# rasterize makes the same labels of it.
# Seen: it draws through the centres of the pixels around, counted from 0, where get_centroids counts from the pixel's
# edge. So every polygon is half a pixel up and to the left of its label; a cell of 25 pixels has the area 24.5, one of
# 1 pixel 0.5, and rasterize makes 24 pixels of the one and none of the other.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet spatialdata==0.8.0 zarr==3.4.2 anndata==0.13.4 pandas==3.1.1 numpy==2.5.5 \
    scikit-image==0.26.0 geopandas==1.1.4
cd "$folder"
venv/bin/python -W ignore - <<'EOF'
import numpy as np
import spatialdata
from spatialdata.models import Labels2DModel

pixels = np.zeros((40, 50), np.int32)
pixels[3, 3] = 1
pixels[10:15, 20:25] = 2
labels = Labels2DModel.parse(pixels, dims=("y", "x"))

centroids = spatialdata.get_centroids(labels).compute()
polygons = spatialdata.to_polygons(labels)
again = spatialdata.rasterize(
    polygons, axes=("x", "y"), min_coordinate=[0, 0], max_coordinate=[50, 40], target_coordinate_system="global",
    target_unit_to_pixels=1, return_regions_as_labels=True,
)  # fmt: skip
counts = {label: int((np.asarray(again.data) == label).sum()) for label in (1, 2)}
for label, centre, area, count in ((1, (3.5, 3.5), 0.5, 0), (2, (22.5, 12.5), 24.5, 24)):
    polygon = polygons.geometry.loc[label]
    found = tuple(centroids.loc[label, ["x", "y"]])
    middle = (polygon.centroid.x, polygon.centroid.y)
    print(f"label {label}: get_centroids {found}, polygon {middle}, area {polygon.area}, rasterize {counts[label]} pixels")
    assert found == centre
    assert np.allclose(middle, np.subtract(centre, 0.5))
    assert polygon.area == area
    assert counts[label] == count
print("as described")
EOF
