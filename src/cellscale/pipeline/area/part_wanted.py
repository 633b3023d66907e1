"""What of an image is wanted, and what was found there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cellscale.annotations import WantedArea
from cellscale.images.info import PixelSize
from cellscale.pipeline.area.area_selection import Selection
from cellscale.pipeline.area.region_sources import area_of
from cellscale.pipeline.image_run import ImageRun
from cellscale.pipeline.request import Request
from cellscale.predict.heads import Compartment
from cellscale.workspace.discovery import ImageEntry

__all__ = ["Part", "part_of", "region_facts", "tell_regions"]

SHOWN_REGIONS = 12
"""Regions whose counts a run tells; the record has all."""


@dataclass(frozen=True, slots=True)
class Part:
    """What is wanted of an image."""

    area: WantedArea
    growth: float = 0.0
    """Pixels of the image by which whole cells grow, before those outside the area are left out."""
    of_nuclei: bool = False
    """Whole cells are the nuclei, grown."""
    judged_alone: bool = False
    """Whether brightness is judged by this part alone, not by the whole image."""


def part_of(
    request: Request, entry: ImageEntry, shape: tuple[int, int], growth: float | None, *, of_nuclei: bool
) -> Part | None:
    """Return what is wanted of an image; None for all of it.

    Raises
    ------
    ImageError
        There are no regions for this image, or they are not as expected.
    """
    area = area_of(request, entry, shape)
    judged_alone = request.area.statistics == "regions"
    return None if area is None else Part(area, growth or 0.0, of_nuclei, judged_alone)


def tell_regions(
    run: ImageRun, area: WantedArea, selections: Mapping[Compartment, Selection], size: PixelSize | None
) -> dict[str, Any]:
    """Say how many objects the regions have, and how densely; return counts and sizes in pixels for the record."""
    words = {"whole-cell": "cells", "nuclear": "nuclei"}
    shown = []
    for index, (name, pixels) in enumerate(zip(area.names[:SHOWN_REGIONS], area.areas(), strict=False)):
        counts = ", ".join(f"{found.counts[index]:,} {words[kind]}" for kind, found in selections.items())
        mm2 = 0 if size is None else pixels * size.x * size.y / 1e6
        first = next(iter(selections.values()))
        dense = f" ({first.counts[index] / mm2:,.0f} per mm² on {mm2:.3g} mm²)" if mm2 else ""
        shown.append(f"{name}: {counts}{dense}")
    more = [f"and {len(area.names) - SHOWN_REGIONS} more"] if len(area.names) > SHOWN_REGIONS else []
    run.notice("regions: " + "; ".join([*shown, *more]))
    return region_facts(area, {compartment: found.counts for compartment, found in selections.items()})


def region_facts(area: WantedArea, counts: Mapping[Compartment, Sequence[int]]) -> dict[str, Any]:
    """Return, for the record, each region's size in pixels and how many objects of each kind it has."""
    return {
        name: {"pixels": pixels, **{compartment: found[index] for compartment, found in counts.items()}}
        for index, (name, pixels) in enumerate(zip(area.names, area.areas(), strict=True))
    }
