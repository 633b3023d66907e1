"""Whether an exporter does what `cellscale.cells.exporters.Exporter` asks of it."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cellscale.cells.exporters import Exporter
from cellscale.cells.measure import measure
from cellscale.cells.measurement import Measurement
from cellscale.cells.text import Dialect
from cellscale.images.info import PixelSize
from cellscale.regions import RegionReader
from cellscale.testing.claims import claim

__all__ = ["check_exporter"]

_SIDE = 96
_GAP = 16
"""Pixels between the centres of neighbouring cells."""
_NAMES = ("DAPI", 'Größe "µ", 1\t2')
_THREADS = 3
_BATCH = 7


def check_exporter(exporter: Exporter, rows: Callable[[Path], int] | None = None) -> None:
    """Check an exporter on cells with and without nuclei, on nuclei alone, and on an image without any.

    Parameters
    ----------
    exporter
        The exporter.
    rows
        Reads a file that it made and returns the number of its objects; None leaves that out.

    Raises
    ------
    AssertionError
        The exporter does something wrong; the message says what.
    RequestError
        What the exporter needs is not installed.
    """
    suffix = exporter.suffix
    claim(
        isinstance(suffix, str) and suffix.startswith(".") and "/" not in suffix,
        f"suffix is {suffix!r}; expected an ending like '.csv'",
    )
    exporter.require()
    cells, nuclei = _masks()
    nothing = np.zeros_like(cells)
    scenes: dict[str, tuple[NDArray[np.int32] | None, NDArray[np.int32] | None]] = {
        "cells": (cells, nuclei),
        "detections": (None, nuclei),
        "an image without cells": (nothing, nothing),
    }
    with TemporaryDirectory(prefix="cellscale-") as folder:
        for what, masks in scenes.items():
            for dialect in Dialect:
                with _measured(*masks) as measurement:
                    first = _written(exporter, measurement, Path(folder) / f"first{suffix}", dialect, what)
                    second = _written(exporter, measurement, Path(folder) / f"second{suffix}", dialect, what)
                    claim(first.stat().st_size, f"the file of {what} is empty")
                    claim(
                        first.read_bytes() == second.read_bytes(),
                        f"the same {what} give other bytes when they are written again",
                    )
                    found = len(measurement) if rows is None else rows(first)
                    claim(
                        found == len(measurement),
                        f"the file of {what} has {found} objects; {len(measurement)} were written",
                    )


def _written(exporter: Exporter, measurement: Measurement, path: Path, dialect: Dialect, what: str) -> Path:
    """Write a file as a run does: batches are encoded side by side, and put in order."""
    starts = range(0, len(measurement), _BATCH)
    with path.open("w+b") as stream:
        with exporter.open(stream, measurement, image_name=f"image{path.suffix}.tif", dialect=dialect) as writer:

            def encode(start: int) -> Any:
                return writer.encode(measurement.batch(start, min(start + _BATCH, len(measurement))))

            with ThreadPoolExecutor(_THREADS) as pool:
                # The last is encoded first: batches come from any thread, in any order.
                for rows in reversed(list(pool.map(encode, reversed(starts)))):
                    writer.put(rows)
        claim(not stream.closed, f"the stream is closed after {what} were written; it is the caller's to close")
    return path


def _measured(cells: NDArray[np.int32] | None, nuclei: NDArray[np.int32] | None) -> Measurement:
    random = np.random.default_rng(0)
    channels = random.integers(0, 1000, (len(_NAMES), _SIDE, _SIDE)).astype(np.uint16)
    return measure(
        cells=_reader(cells),
        nuclei=_reader(nuclei),
        channels=_readers(channels),
        channel_names=_NAMES,
        shape=(_SIDE, _SIDE),
        image_name="image",
        pixel_size=PixelSize(0.5, 0.5),
        workers=1,
    )


def _masks() -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return discs of cells in a grid, and of nuclei in most of them; one nucleus lies in no cell."""
    rows, columns = np.mgrid[:_SIDE, :_SIDE]
    number = (rows // _GAP) * (_SIDE // _GAP) + columns // _GAP + 1
    distance = np.hypot(rows % _GAP - _GAP // 2, columns % _GAP - _GAP // 2)
    cells = np.where((distance < 6) & (number != 1), number, 0).astype(np.int32)
    nuclei = np.where((distance < 3) & (number % 5 != 2), number, 0).astype(np.int32)
    return cells, nuclei


def _reader(mask: NDArray[Any] | None) -> RegionReader | None:
    return None if mask is None else lambda region: mask[region.slices]


def _readers(channels: NDArray[Any]) -> Sequence[RegionReader]:
    return [reader for plane in channels if (reader := _reader(plane)) is not None]
