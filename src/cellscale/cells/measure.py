"""Measure the objects of one image, a window at a time."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from cellscale.cells.intensity.compartments import MARGIN
from cellscale.cells.intensity.moments import N_STATISTICS
from cellscale.cells.label_table import survey
from cellscale.cells.matching import Matching, each_alone, match
from cellscale.cells.measurement import Measurement
from cellscale.cells.object_batches import ObjectKind
from cellscale.cells.object_ids import image_identity
from cellscale.cells.outline.outlines import Outlines
from cellscale.cells.passes.check_labels import check_places, check_sizes
from cellscale.cells.passes.label_kinds import check_kind
from cellscale.cells.passes.measuring_pass import Passage, n_compartments
from cellscale.cells.scratch_arrays import Scratch
from cellscale.cells.uint32_masks import label_reader
from cellscale.errors import MaskError
from cellscale.images.info import PixelSize
from cellscale.regions import RegionReader, blocks

__all__ = ["measure"]

HEIGHT = 512
"""Rows of a window: many times a cell's."""

SURVEYED = 2 << 20
"""Pixels of the masks that are surveyed at a time by each worker."""


def measure(
    *,
    cells: RegionReader | None,
    nuclei: RegionReader | None,
    channels: Sequence[RegionReader],
    channel_names: Sequence[str],
    shape: tuple[int, int],
    image_name: str,
    image_pixels: bytes = b"",
    pixel_size: PixelSize | None = None,
    matching: Matching = Matching.ONE_TO_ONE,
    nucleus_margin: int | None = MARGIN,
    workers: int | None = None,
    window_pixels: int = 4 << 20,
    chunk: tuple[int, int] = (256, 256),
    mask_chunk: tuple[int, int] = (256, 256),
    scratch: Path | None = None,
    memory: int | None = None,
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
        Name of the image.
    image_pixels
        What tells the image from others of the same name; the ids of objects are derived from both and from their
        own pixels.
    pixel_size
        None to measure in pixels.
    matching
        How nuclei are paired with cells.
    nucleus_margin
        Pixels around a cell's bounding box up to which its nucleus is measured, as QuPath does; None for all of it.
    workers
        Threads; None for one a core.
    window_pixels
        Pixels that are worked on at a time, as near as whole chunks allow; they take some 60 bytes each.
    chunk, mask_chunk
        Rows and columns that the files behind the readers of channels and of masks decode together.
    scratch
        Folder for intermediate results, about 1.5 KB a cell and 8 channels; None for the system's.
    memory
        Bytes that one object may make the process take, so that larger ones are refused; None for no bound.

    Returns
    -------
    The measurement, to be closed by the caller, best by ``with``.

    Raises
    ------
    MaskError
        If there is no mask, or a mask is not a plane of labels, or its labels are not one cell each.
    """
    if cells is None and nuclei is None:
        raise MaskError("there is nothing to measure: neither a whole-cell mask nor a nucleus mask was given")
    masks = (_mask(cells, "whole-cell"), _mask(nuclei, "nucleus"))
    workers = workers or os.cpu_count() or 1
    with ThreadPoolExecutor(workers) as pool, ExitStack() as opened:
        files = opened.enter_context(Scratch(scratch))
        found = survey(*masks, blocks(shape, _window_size(shape, mask_chunk, SURVEYED)), pool, files)
        for table, name in ((found.cells, "whole-cell"), (found.nuclei, "nucleus")):
            check_places(table, name, shape, files)
            check_kind(table, name, shape, files)
            check_sizes(table, name, files, memory)
        kind = ObjectKind.CELL if cells and nuclei else ObjectKind.DETECTION
        pairing = match(found, matching, files) if kind is ObjectKind.CELL else each_alone(found, files)
        columns = len(channels) * n_compartments(kind) * N_STATISTICS
        measurement = Measurement(
            image_name=image_name,
            identity=image_identity(image_name, image_pixels),
            kind=kind,
            channel_names=tuple(channel_names),
            pixel_size=pixel_size,
            cells=Outlines(found.cells, files),
            nuclei=Outlines(found.nuclei, files),
            pairing=pairing,
            intensities=files.zeros((len(pairing.cells), columns), np.float32),
            scratch=files,
        )
        del found
        passage = Passage(measurement, masks, tuple(channels), shape, pool, workers, nucleus_margin)
        passage.run(_window_size(shape, chunk, window_pixels))
        opened.pop_all()
    return measurement


def _window_size(shape: tuple[int, int], chunk: tuple[int, int], pixels: int) -> tuple[int, int]:
    """Return rows and columns of a window of whole chunks: wide and low where chunks are as wide as the image."""
    if chunk[1] >= shape[1]:
        return max(pixels // (shape[1] * chunk[0]), 1) * chunk[0], shape[1]
    rows = -(-HEIGHT // chunk[0]) * chunk[0]
    return rows, max(pixels // (rows * chunk[1]), 1) * chunk[1]


def _mask(reader: RegionReader | None, name: str) -> RegionReader | None:
    """Wrap the reader of a mask that exists."""
    return None if reader is None else label_reader(reader, name)
