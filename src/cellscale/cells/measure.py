"""Measure the objects of one image, a window at a time."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path

import numpy as np

from cellscale.cells.batch import ObjectKind
from cellscale.cells.intensity import N_STATISTICS
from cellscale.cells.masks import label_reader
from cellscale.cells.matching import Matching, Pairing, match
from cellscale.cells.measurement import Measurement
from cellscale.cells.outlines import Outlines
from cellscale.cells.passage import Passage, n_compartments
from cellscale.cells.spool import RowSpool
from cellscale.cells.survey import Survey, survey
from cellscale.errors import MaskError
from cellscale.images.info import PixelSize
from cellscale.regions import RegionReader, blocks

__all__ = ["measure"]


def measure(
    *,
    cells: RegionReader | None,
    nuclei: RegionReader | None,
    channels: Sequence[RegionReader],
    channel_names: Sequence[str],
    shape: tuple[int, int],
    image_name: str,
    pixel_size: PixelSize | None = None,
    matching: Matching = Matching.ONE_TO_ONE,
    workers: int | None = None,
    max_memory: int = 256 << 20,
    chunk_rows: int = 256,
    scratch: Path | None = None,
) -> Measurement:
    """Measure intensities and shapes of every cell of an image.

    With both masks the objects are cells, with their nuclei where they have one. With one mask alone they are plain
    detections, one for each label, as QuPath's whole-cell mode makes them.

    Parameters
    ----------
    cells, nuclei
        Label masks of the image's size; None where there is none.
    channels
        A reader for each channel; any of them may be called from several threads at a time.
    channel_names
        Their names.
    shape
        Rows and columns of the image.
    image_name
        Name of the image, from which object ids are derived.
    pixel_size
        None to measure in pixels.
    matching
        How nuclei are paired with cells.
    workers
        Threads; None for one a core.
    max_memory
        Bytes of pixels to hold at a time, as near as strips of whole chunks allow.
    chunk_rows
        Rows that the files behind the readers decode together: strips are a multiple of them.
    scratch
        Folder for intermediate results, about 1.5 KB a cell and 8 channels; None for the system's.

    Returns
    -------
    The measurement, to be closed by the caller, best by ``with``.

    Raises
    ------
    MaskError
        If there is no mask, or a mask is not a plane of labels.
    """
    if cells is None and nuclei is None:
        raise MaskError("there is nothing to measure: neither a whole-cell mask nor a nucleus mask was given")
    masks = (_mask(cells, "whole-cell"), _mask(nuclei, "nucleus"))
    rows, ahead = _strips(shape[1], 4 * (2 + len(channels)), max_memory, chunk_rows)
    workers = workers or os.cpu_count() or 1
    with ThreadPoolExecutor(workers) as pool, ExitStack() as opened:
        found = survey(*masks, blocks(shape, (rows, shape[1])), pool)
        kind = ObjectKind.CELL if cells and nuclei else ObjectKind.DETECTION
        pairing = match(found, matching) if kind is ObjectKind.CELL else _each_alone(found)
        columns = len(channels) * n_compartments(kind) * N_STATISTICS
        outlines = [opened.enter_context(closing(Outlines(table, scratch))) for table in (found.cells, found.nuclei)]
        intensities = opened.enter_context(closing(RowSpool((len(pairing.cells), columns), scratch)))
        measurement = Measurement(
            image_name=image_name,
            kind=kind,
            channel_names=tuple(channel_names),
            pixel_size=pixel_size,
            cells=outlines[0],
            nuclei=outlines[1],
            pairing=pairing,
            intensities=intensities,
        )
        Passage(measurement, masks, tuple(channels), shape, pool, workers).run(rows, ahead=ahead)
        opened.pop_all()
    return measurement


def _mask(reader: RegionReader | None, name: str) -> RegionReader | None:
    """Wrap the reader of a mask that exists."""
    return None if reader is None else label_reader(reader, name)


def _strips(width: int, pixel_bytes: int, max_memory: int, chunk_rows: int) -> tuple[int, bool]:
    """Return the height of a strip, and whether there is memory to read the next one while one is worked on."""
    chunks = max_memory // (width * pixel_bytes * chunk_rows)
    return max(chunks // 2, 1) * chunk_rows, chunks > 1


def _each_alone(found: Survey) -> Pairing:
    """Make an object of each label of the only mask."""
    nothing = np.full(len(found.cells) + len(found.nuclei), -1)
    if len(found.cells):
        return Pairing(np.arange(len(found.cells)), nothing, 0)
    return Pairing(nothing, np.arange(len(found.nuclei)), 0)
