"""What the measurements are called in AnnData files, and what they are called in QuPath."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from cellscale.cells.object_batches import ObjectKind
from cellscale.cells.text.columns import COMPARTMENTS, STATISTICS

__all__ = ["REGIONS", "element_name", "layer_names", "obs_name", "unstructured"]

REGIONS = {"cell_label": "cells", "nucleus_label": "nuclei"}
"""What the labels of a column of ``obs`` are labels of."""

_UNIT = re.compile(r" (µm|px)(\^2)?$")
_OTHER = re.compile(r"[^0-9A-Za-z]+")


def obs_name(measurement: str) -> str:
    """Return what a shape feature is called in ``obs``: in lower case, without its unit and without ``Cell:``.

    QuPath's own names cannot be kept: anndata 0.13 refuses those with a slash, SpatialData those with blanks.
    """
    name = _UNIT.sub("", measurement).removeprefix(f"{COMPARTMENTS[-1]}: ")
    return _OTHER.sub("_", name).strip("_").lower()


def layer_names(kind: ObjectKind) -> list[str]:
    """Return where each compartment and statistic of a channel goes, in the order of measuring."""
    statistics = [name.lower().removesuffix(".dev.") for name in STATISTICS]
    if kind is ObjectKind.DETECTION:
        return ["X" if name == "mean" else f"layers/{name}" for name in statistics]
    names = [f"{compartment.lower()}_{statistic}" for compartment in COMPARTMENTS for statistic in statistics]
    return ["X" if name == "cell_mean" else f"layers/{name}" for name in names]


def element_name(image: str, element: str) -> str:
    """Return what a part of an image is called in SpatialData, as in ``tissue_001_cells``.

    Names have letters, digits, underscores, dots and hyphens there, and no two underscores at the beginning.
    """
    kept = "".join(letter if letter.isalnum() or letter in "_-." else "_" for letter in f"{image}_{element}")
    return kept if not kept.startswith("__") else f"image{kept}"


def unstructured(
    units: Mapping[str, str], shapes: Sequence[str], regions: Sequence[str], instance_key: str
) -> dict[str, Any]:
    """Return ``uns``: units, QuPath's names, and what squidpy and SpatialData look for.

    Parameters
    ----------
    units
        Unit of lengths of each image, by the image's name.
    shapes
        QuPath's names of the shape features.
    regions
        The values of ``obs["region"]``.
    instance_key
        The column of ``obs`` with the numbers that the objects have in the region's mask.
    """
    distinct = sorted(set(units.values()))
    scale = {"tissue_hires_scalef": 1.0, "spot_diameter_fullres": 1.0}
    return {
        "unit": distinct[0] if len(distinct) == 1 else "mixed",
        "qupath_names": {obs_name(name): name for name in shapes},
        # No pictures are kept here; squidpy draws the cells without. Coordinates are in the unit above.
        "spatial": {image: {"images": {}, "scalefactors": scale, "metadata": {"unit": units[image]}} for image in units},
        "spatialdata_attrs": {"region": list(regions), "region_key": "region", "instance_key": instance_key},
    }
