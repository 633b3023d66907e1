#!/usr/bin/env bash
# spatialdata 0.8.0 with zarr 3.4.2 (Python 3.13): a dataset that lies in one zip file.
# Guess: since read_zarr takes a zarr.Group, says its documentation, and zarr opens zip files, a group of zarr's ZipStore
# is read like one of a folder.
# Seen: AttributeError: module 'zarr.storage' has no attribute 'ConsolidatedMetadataStore'. For every store that is none
# of a folder or of fsspec it asks for a class that zarr dropped with version 3. The same group in a folder is read.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet spatialdata==0.8.0 zarr==3.4.2 anndata==0.13.4 pandas==3.1.1 numpy==2.5.5
cd "$folder"
venv/bin/python -W ignore - <<'EOF'
import shutil

import numpy as np
import spatialdata
import zarr
from spatialdata.models import Labels2DModel

labels = np.zeros((40, 40), np.int32)
labels[3:9, 3:9] = 1
spatialdata.SpatialData(labels={"cells": Labels2DModel.parse(labels, dims=("y", "x"))}).write("cells.zarr")
shutil.make_archive("cells", "zip", "cells.zarr")

assert "cells" in spatialdata.read_zarr(zarr.open_group("cells.zarr", mode="r")).labels
store = zarr.storage.ZipStore("cells.zip", mode="r")
assert "labels" in zarr.open_group(store, mode="r")
try:
    spatialdata.read_zarr(zarr.open_group(store, mode="r"))
except AttributeError as error:
    print("AttributeError", error)
    assert "ConsolidatedMetadataStore" in str(error)
else:
    raise SystemExit("it was read: the behaviour has changed")
EOF
echo "as described"
