"""The part of an image that is tissue: glass is not computed."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from cellscale.annotations import DrawnRegion, DrawnRegions, WantedArea
from cellscale.errors import ImageError
from cellscale.pipeline.area.part_wanted import Part
from cellscale.pipeline.image_run import ImageRun
from cellscale.pipeline.request import AreaChoice
from cellscale.preprocess.tissue import tissue_mask
from cellscale.regions import RegionReader
from cellscale.report.pictures import block_means

__all__ = ["part_in_tissue", "tissue_mark"]

_VERSION = 1
"""Of how tissue is found; masks of other versions are made again."""
_TISSUE = "Tissue"
"""Name of the only region where nobody drew any."""
_SIDE = 16.0
"""µm along each side of the squares whose brightness is looked at."""
_LEAST, _MOST = 4, 256
"""Pixels of the same."""
_PICTURE = 512
"""Pixels along the longer side of the picture, at most."""
_DIM, _RED = 0.45, 90
"""How glass is shown: darker, and reddish."""


@dataclass(frozen=True, slots=True)
class _Tissue:
    """What of an image is tissue."""

    means: NDArray[np.float32]
    """Brightness of squares, ``(channels, rows, columns)``."""
    mask: NDArray[np.bool_]
    """Which of them are tissue."""
    side: int
    """Pixels of the image along a side of them."""


def tissue_mark(area: AreaChoice) -> dict[str, Any]:
    """Return what says that glass is left out, and which; empty where it is not."""
    return {} if area.tissue == "none" else {"tissue": [_VERSION, area.tissue_threshold]}


def part_in_tissue(
    run: ImageRun,
    channels: Sequence[RegionReader],
    shape: tuple[int, int],
    mpp: float,
    area: AreaChoice,
    part: Part | None,
    growth: float | None,
    *,
    of_nuclei: bool,
) -> tuple[Part | None, dict[str, Any]]:
    """Return what of a part of an image, or of all of it, is tissue; and what the record is to say of that.

    Parameters
    ----------
    run
        Who listens, and how much of the machine may be used.
    channels
        What the network is to see.
    shape
        Rows and columns of the image.
    mpp
        µm/px.
    area
        Whether, and how, tissue is told from glass.
    part
        What is wanted of the image; None for all of it.
    growth, of_nuclei
        As `Part` has them.

    Raises
    ------
    ImageError
        There is no tissue in the regions.
    """
    if area.tissue == "none":
        return part, {}
    from cellscale.report.findings import webp  # with what the others do without

    tissue = _find_tissue(run, channels, shape, mpp, area.tissue_threshold)
    if tissue is None:
        return part, {}
    whole = shapely.box(0, 0, shape[1], shape[0])
    inside = shapely.intersection(whole, _polygons(tissue))
    glass = shapely.difference(whole, inside)
    if part is None:
        found = WantedArea.of(DrawnRegions((DrawnRegion(_TISSUE, whole),), "the tissue"), glass, is_drawn=False)
        part = Part(found, growth or 0.0, of_nuclei, area.statistics == "regions")
    else:
        left_out = shapely.union(part.area.left_out, glass)
        found = WantedArea.of(part.area.regions, left_out, is_drawn=part.area.is_drawn)
        if not sum(found.areas()) > 0:
            raise ImageError("there is no tissue in the regions (--tissue auto); leave --tissue out")
        part = replace(part, area=found)
    share = 1 - float(inside.area) / (shape[0] * shape[1])
    run.notice(
        f"tissue: {share:.0%} of the image was taken for glass and is not computed; the report shows where "
        "(--tissue_threshold below 1 takes more for tissue)"
    )
    return part, {"skipped": share, "picture": webp(_picture(tissue))}


def _find_tissue(
    run: ImageRun, channels: Sequence[RegionReader], shape: tuple[int, int], mpp: float, factor: float
) -> _Tissue | None:
    """Tell tissue from glass, in one pass over the image; None, and a warning, where all of it is alike."""
    side = min(max(round(_SIDE / mpp), _LEAST), _MOST)
    planes = []
    with (
        run.stage("tissue", len(channels), reading=run.reading) as advance,
        ThreadPoolExecutor(run.budget.workers, thread_name_prefix="cellscale-tissue") as pool,
    ):
        for read in channels:
            planes.append(block_means(read, shape, side, pool))
            advance()
    means = np.stack(planes)
    mask = tissue_mask(means, factor)
    if mask.any():
        return _Tissue(means, mask, side)
    run.notice("no tissue can be told from glass (--tissue auto): the whole image is computed", "warning")
    return None


def _polygons(tissue: _Tissue) -> shapely.Geometry:
    """Return the outline of the squares that are tissue, in pixels of the image."""
    padded = np.pad(tissue.mask, ((0, 0), (1, 1))).astype(np.int8)
    steps = np.diff(padded, axis=1)
    rows, starts = np.nonzero(steps == 1)
    _, stops = np.nonzero(steps == -1)
    side = tissue.side
    return shapely.union_all(shapely.box(starts * side, rows * side, stops * side, (rows + 1) * side))


def _picture(tissue: _Tissue) -> NDArray[np.uint8]:
    """Return the brightness of squares as a picture, with glass reddish, ``(rows, columns, 3)``."""
    logs = np.log1p(tissue.means - tissue.means.min(axis=(1, 2), keepdims=True))
    grey = (logs / np.maximum(logs.max(axis=(1, 2), keepdims=True), 1e-9)).mean(axis=0)
    step = -(-max(grey.shape) // _PICTURE)
    grey, mask = grey[::step, ::step], tissue.mask[::step, ::step]
    picture = np.repeat((grey * 255)[..., np.newaxis], 3, axis=2)
    picture[~mask] *= _DIM
    picture[~mask, 0] += _RED
    enlarged = max(1, _PICTURE // max(grey.shape))
    return np.clip(picture, 0, 255).astype(np.uint8).repeat(enlarged, axis=0).repeat(enlarged, axis=1)
