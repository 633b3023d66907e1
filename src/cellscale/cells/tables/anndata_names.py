"""What the measurements are called in AnnData files, and what they are called in QuPath."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from cellscale.cells.object_batches import ObjectKind
from cellscale.cells.text.columns import COMPARTMENTS, STATISTICS

__all__ = ["DRAWN_REGION", "element_name", "layer_names", "obs_name", "unstructured"]

DRAWN_REGION = "drawn_region"
"""Column of ``obs`` that is ``Region`` in other tables: ``region`` is SpatialData's word for the mask of cells."""
_DIAMETERS = {"µm": 10.0, "px": 20.0}
"""Of a dot that stands for a cell in squidpy's pictures, about as large as a cell."""
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


def unstructured(units: Mapping[str, str], shapes: Sequence[str], regions: Sequence[str]) -> dict[str, Any]:
    """Return ``uns``: units, QuPath's names, and what squidpy and SpatialData look for.

    Parameters
    ----------
    units
        Unit of lengths of each image, by the image's name.
    shapes
        QuPath's names of the shape features.
    regions
        The values of ``obs["region"]``.
    """
    distinct = sorted(set(units.values()))
    return {
        "unit": distinct[0] if len(distinct) == 1 else "mixed",
        "qupath_names": {obs_name(name): name for name in shapes},
        # Without pictures: squidpy draws the cells where it is told so (img=False).
        "spatial": {
            image: {
                "images": {},
                "scalefactors": {"tissue_hires_scalef": 1.0, "spot_diameter_fullres": _DIAMETERS[unit]},
                "metadata": {"unit": unit},
            }
            for image, unit in units.items()
        },
        "spatialdata_attrs": {
            # A list comes back from the file as an array, which SpatialData does not take.
            "region": regions[0] if len(regions) == 1 else list(regions),
            "region_key": "region",
            "instance_key": "label",
        },
    }
