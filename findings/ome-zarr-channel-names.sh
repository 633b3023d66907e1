#!/usr/bin/env bash
# ome-zarr 0.21.0 (Python 3.12 or newer): writing an image with the names and colours of its channels.
# Guess: write_image(..., omero={"channels": [...]}) writes them, as its docstring says: "Additional metadata to store,
# i.e. {"omero": {...}}".
# Seen: it raises "TypeError: Expected an instance of Omero or None, received <class 'dict'>" and leaves a group without
# pixels. With metadata={"omero": {...}}, which write_multiscales_metadata takes, the image is written and the names are
# dropped without a word. Only an Omero of ome-zarr-models is written. Release 0.19.2 wrote the dict; 0.20.1 refused it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet ome-zarr==0.21.0 ome-zarr-models==1.8.1 zarr==3.4.2 numpy==2.5.5 \
    dask==2026.8.0 pydantic==2.12.5 scikit-image==0.26.0
cd "$folder"
venv/bin/python -W error::UserWarning - <<'EOF'
import copy

import numpy as np
import zarr
from ome_zarr.writer import write_image
from ome_zarr_models.common.omero import Omero

window = {"start": 0, "end": 1, "min": 0, "max": 1}
omero = {
    "channels": [
        {"label": "DAPI", "color": "0000FF", "window": window},
        {"label": "CD45", "color": "00FF00", "window": window},
    ]
}


def written_names(name, **metadata):
    try:
        write_image(np.zeros((2, 64, 64), np.uint16), name, axes="cyx", **copy.deepcopy(metadata))
    except TypeError as error:
        return f"TypeError: {error}"
    ome = zarr.open_group(name, mode="r").attrs["ome"]
    return [channel["label"] for channel in ome.get("omero", {"channels": []})["channels"]]


assert '{"omero": {...}}' in write_image.__doc__
found = {
    "omero=dict": written_names("dict.zarr", omero=omero),
    "metadata=dict": written_names("metadata.zarr", metadata={"omero": omero}),
    "omero=Omero": written_names("instance.zarr", omero=Omero.model_validate(omero)),
}
for case, result in found.items():
    print(case, result)
assert found == {
    "omero=dict": "TypeError: Expected an instance of Omero or None, received <class 'dict'>",
    "metadata=dict": [],
    "omero=Omero": ["DAPI", "CD45"],
}
assert not list(zarr.open_group("dict.zarr", mode="r").array_keys())
print("as described")
EOF
