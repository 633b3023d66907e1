"""Look at one image: overview, crops, objects, intensities, and what is wrong with it."""

from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cellscale.cells.label_table import LabelTable
from cellscale.cells.scratch_arrays import Scratch
from cellscale.predict.heads import Compartment
from cellscale.regions import Region, blocks
from cellscale.report.cells_and_nuclei import MaskObjects, at_border, take_census
from cellscale.report.findings import Areas, ChannelLook, CompartmentLook, CropLook, Findings, Focus, webp
from cellscale.report.flags import Evidence, find_flags
from cellscale.report.pictures.crops import SIDE, Choice, choose_crops
from cellscale.report.pictures.faraway_outlines import TracedMask
from cellscale.report.pictures.overview import cell_size
from cellscale.report.pictures.thumbnails import middle, shrunk
from cellscale.report.pictures.views import Crop, Overview, view_crops, view_overview
from cellscale.report.sample import Intensities, blurred_parts, describe, sample_regions, sharpness, thinning
from cellscale.report.subject import Subject

__all__ = ["STEPS", "Pictures", "examine"]

OVERVIEW = 1024
"""Pixels along the longer side of the overview in the report, at most."""
THUMBNAIL = 360
"""The same of the overview in the list of images."""
CLOSE_UP = 256
"""Rows and columns of a crop in the list of images."""
STEP = (1024, 2048)
"""Rows and columns of the masks that are read at once: powers of two, as the squares of an overview are. Of masks in
strips as many rows as have about as many pixels."""
TOGETHER = 8
"""Channels that are sampled at a time: those that lie in the same tiles of the file are decoded once."""
STEPS = 4
"""How often the progress of `examine` is told."""


@dataclass(frozen=True, slots=True)
class Pictures:
    """What was seen, as pictures of their own."""

    overview: Overview
    crops: tuple[tuple[Choice, Crop], ...]


def examine(
    subject: Subject, workers: int, advance: Callable[[], object], scratch: Path | None = None
) -> tuple[Findings, Pictures]:
    """Look at an image.

    Parameters
    ----------
    subject
        The image and its masks, which are read in parts.
    workers
        Threads. Does not change the result.
    advance
        Is called ``STEPS`` times.
    scratch
        Folder for what grows with the number of objects; the system's if None.

    Returns
    -------
    Facts for the report, and the pictures.
    """
    shape = subject.shape
    masks = {name: TracedMask(read, shape, cell_size(shape)) for name, read in subject.masks.items()}
    with ThreadPoolExecutor(workers, thread_name_prefix="cellscale-look") as pool, Scratch(scratch) as objects_there:
        cells, nuclei = (masks[name].read if name in masks else None for name in _TABLES)
        regions = blocks(shape, _step(shape, strips=subject.masks_in_strips))
        census = take_census(cells, nuclei, regions, pool, objects_there)
        advance()
        overview = view_overview(subject, {name: mask.coverage for name, mask in masks.items()}, pool)
        advance()
        counts = census.tiles(shape, SIDE)
        objects = counts.cells if "whole-cell" in masks else counts.nuclei
        chosen = choose_crops(census, counts, overview.signal(objects.shape, SIDE), shape, subject.seams)
        contrasts = overview.contrasts if overview.cell == 1 else None
        crops = tuple(zip(chosen, view_crops(subject, [one.region for one in chosen], contrasts), strict=True))
        advance()
        samples = _sampled(subject, sample_regions(objects, shape), pool)
        advance()
        pictures = Pictures(overview, crops)
        return _look(subject, census, objects, samples, pictures, pool), pictures


def _step(shape: tuple[int, int], *, strips: bool) -> tuple[int, int]:
    """Return rows and columns of the masks that are read at once."""
    if not strips:
        return STEP
    rows = max(STEP[0] * STEP[1] // shape[1], 1)
    return max(1 << (rows.bit_length() - 1), cell_size(shape)), shape[1]


@dataclass(frozen=True, slots=True)
class _Samples:
    channels: tuple[ChannelLook, ...]
    nucleus: Intensities
    membrane: Intensities
    focus: Focus
    pixels: int


def _sampled(subject: Subject, regions: list[Region], pool: Executor) -> _Samples:
    """Look at a sample of the pixels of all channels; what is kept of each part is thinned out at once."""
    step = thinning(regions)

    def shown(region: Region) -> tuple[tuple[float, float], list[NDArray[Any]]]:
        planes = [read(region) for read in subject.shown.full]
        return _sharpness(planes[0], subject), [plane[::step, ::step].copy() for plane in planes]

    parts = list(pool.map(shown, regions))
    nucleus, membrane = (describe([planes[place] for _, planes in parts]) for place in range(2))
    blurred = blurred_parts([sharp for sharp, _ in parts])
    del parts
    return _Samples(
        channels=_channels(subject, regions, step, pool),
        nucleus=nucleus,
        membrane=membrane,
        focus=Focus(parts=blurred[0], blurred=blurred[1]),
        pixels=sum(region.size for region in regions),
    )


def _channels(subject: Subject, regions: list[Region], step: int, pool: Executor) -> tuple[ChannelLook, ...]:
    """Look at every ``step``-th row and column of some parts of all channels."""
    info = subject.image.info
    largest = None
    if info.dtype.kind in "ui":
        largest = 2.0**info.significant_bits - 1 if info.significant_bits else float(np.iinfo(info.dtype).max)

    def together(indices: tuple[int, ...]) -> list[ChannelLook]:
        def thinned(region: Region) -> NDArray[Any]:
            return subject.image.read(indices, region)[:, ::step, ::step].copy()

        def channel(place: int) -> ChannelLook:
            index = indices[place]
            intensities = describe([part[place] for part in parts], largest)
            role = subject.shown.roles.get(index, "other")
            return ChannelLook(name=info.channels[index].name, role=role, intensities=intensities)

        parts = list(pool.map(thinned, regions))
        return list(pool.map(channel, range(len(indices))))

    indices = tuple(range(len(info.channels)))
    batches = (indices[start : start + TOGETHER] for start in range(0, len(indices), TOGETHER))
    return tuple(look for batch in batches for look in together(batch))


def _sharpness(plane: NDArray[Any], subject: Subject) -> tuple[float, float]:
    """Judge the sharpness of a part of the nucleus channel; not without µm/px, to which it refers."""
    size = subject.pixel_size
    return (float("nan"), 0.0) if size is None else sharpness(plane, (size.x + size.y) / 2)


def _look(
    subject: Subject,
    census: MaskObjects,
    objects: NDArray[np.int64],
    samples: _Samples,
    pictures: Pictures,
    pool: Executor,
) -> Findings:
    """Put all that was seen together."""
    shown, size = subject.shown, subject.pixel_size
    compartments = _compartments(subject, census)
    overlay = pictures.overview.overlay
    overviews = shrunk(pictures.overview.input, OVERVIEW), shrunk(overlay, OVERVIEW), shrunk(overlay, THUMBNAIL)
    seen, outlined, thumbnail = pool.map(webp, overviews)
    return Findings(
        shape=subject.shape,
        dtype=str(subject.image.info.dtype),
        pixel_size=None if size is None else (size.x, size.y),
        pixel_size_source=subject.pixel_size_source,
        nucleus=shown.nucleus,
        membrane=shown.membrane,
        channels=samples.channels,
        sampled=samples.pixels / (subject.shape[0] * subject.shape[1]),
        compartments=compartments,
        tile=SIDE,
        tiles=tuple(tuple(int(count) for count in row) for row in objects),
        focus=samples.focus,
        input=seen,
        overlay=outlined,
        thumbnail=thumbnail,
        close_up=webp(middle(pictures.crops[0][1].overlay, CLOSE_UP)) if pictures.crops else "",
        crops=tuple(pool.map(_crop, *zip(*pictures.crops, strict=True))) if pictures.crops else (),
        flags=find_flags(_evidence(subject, compartments, samples)),
    )


def _compartments(subject: Subject, census: MaskObjects) -> dict[Compartment, CompartmentLook]:
    both = len(subject.masks) == len(_TABLES)
    pixel = 1.0 if subject.pixel_size is None else subject.pixel_size.x * subject.pixel_size.y
    found: dict[Compartment, CompartmentLook] = {}
    for compartment in subject.masks:
        table, alone = _TABLES[compartment](census)
        found[compartment] = CompartmentLook(
            count=len(table),
            areas=Areas.of(table.pixels * pixel),
            at_border=at_border(table, subject.shape),
            alone=int(alone.sum()) if both else None,
        )
    return found


_TABLES: dict[Compartment, Callable[[MaskObjects], tuple[LabelTable, NDArray[np.bool_]]]] = {
    "whole-cell": lambda census: (census.cells, census.lone_cells),
    "nuclear": lambda census: (census.nuclei, census.lone_nuclei),
}


def _crop(choice: Choice, crop: Crop) -> CropLook:
    return CropLook(
        whys=choice.whys,
        x=choice.region.left,
        y=choice.region.top,
        width=choice.region.width,
        height=choice.region.height,
        input=webp(crop.input),
        overlay=webp(crop.overlay),
    )


def _evidence(subject: Subject, looks: dict[Compartment, CompartmentLook], samples: _Samples) -> Evidence:
    size = subject.pixel_size
    areas = {compartment: look.areas for compartment, look in looks.items()}
    return Evidence(
        nucleus=samples.nucleus,
        membrane=samples.membrane if subject.shown.membrane_wanted else None,
        membrane_text=subject.shown.membrane,
        channels={channel.name: channel.intensities for channel in samples.channels},
        counts={compartment: look.count for compartment, look in looks.items()},
        medians={} if size is None else {name: one.quartiles[1] for name, one in areas.items() if one is not None},
        mpp_text="" if size is None else f"{(size.x + size.y) / 2:g} µm/px ({subject.pixel_size_source})",
        alone={compartment: look.alone for compartment, look in looks.items() if look.alone is not None},
        parts=samples.focus.parts,
        blurred=samples.focus.blurred,
    )
