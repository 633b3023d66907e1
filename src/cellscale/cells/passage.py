"""The second pass over an image: trace and measure every object, window by window."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from cellscale.cells.batch import ObjectKind
from cellscale.cells.columns import COMPARTMENTS
from cellscale.cells.compartments import MARGIN, Pixels, cell_pixels, whole_pixels
from cellscale.cells.geometry import shape_features
from cellscale.cells.intensity import N_STATISTICS, intensities
from cellscale.cells.measurement import Measurement
from cellscale.cells.outlines import Outlines
from cellscale.cells.records import Records, shapes_of
from cellscale.cells.tracing import trace
from cellscale.cells.windows import Strips, Work, plan
from cellscale.regions import Region, RegionReader

__all__ = ["Passage", "n_compartments"]

Traced: TypeAlias = tuple[Records, NDArray[np.int64], NDArray[np.float64]]


def n_compartments(kind: ObjectKind) -> int:
    """Return in how many compartments intensities are measured."""
    return len(COMPARTMENTS) if kind is ObjectKind.CELL else 1


@dataclass(frozen=True, slots=True)
class Passage:
    """Fills a measurement with outlines, shape features and intensities."""

    measurement: Measurement

    masks: tuple[RegionReader | None, RegionReader | None]
    """Whole-cell mask and nucleus mask, uint32."""

    channels: tuple[RegionReader, ...]

    shape: tuple[int, int]
    """Rows and columns of the image."""

    pool: Executor

    workers: int
    """Threads of the pool."""

    def run(self, strip_rows: int, *, ahead: bool) -> None:
        """Go through the image in windows of about ``strip_rows`` rows, reading one of them ahead or not."""
        measurement = self.measurement
        tables = (measurement.cells.table.boxes, measurement.nuclei.table.boxes, self._regions())
        bands, tall = plan(tables, self.shape[1], strip_rows)
        readers = [reader for reader in (*self.masks, *self.channels) if reader]
        strips = Strips(readers, self.shape, strip_rows, self.pool)
        for index, band in enumerate(bands):
            for wanted in bands[index : index + 1 + ahead]:
                strips.request(wanted.region)
            self._window(band, tables[2], partial(strips.read, band.region))
            strips.release(min((later.region.top for later in bands[index + 1 :]), default=self.shape[0]))
        for work in tall:
            self._window(work, tables[2], partial(_read, readers, work.region))

    def _regions(self) -> NDArray[np.int64]:
        """Return the rectangle of each object in which its pixels are looked for."""
        cells, nuclei = self.measurement.cells.table, self.measurement.nuclei.table
        if self.measurement.kind is ObjectKind.DETECTION:
            return np.concatenate([cells.boxes, nuclei.boxes])
        regions = cells.boxes[self.measurement.pairing.cells]
        regions[:, :2] = np.maximum(regions[:, :2] - MARGIN, 0)
        regions[:, 2:] = np.minimum(regions[:, 2:] + MARGIN, self.shape)
        return regions

    def _window(self, work: Work, regions: NDArray[np.int64], read: Callable[[int], NDArray[Any]]) -> None:
        """Trace and measure the objects of one window."""
        given = [index for index, mask in enumerate(self.masks) if mask]
        windows = dict(zip(given, self.pool.map(read, range(len(given))), strict=True))
        sides = (self.measurement.cells, self.measurement.nuclei)
        tracing = [
            (sides[index], rows, self.pool.submit(self._trace, windows[index], work.region, sides[index], rows))
            for index in given
            for rows in self._pieces(work.members[index])
        ]
        listing = [
            self.pool.submit(self._pixels, list(windows.values()), work.region, rows, regions[rows])
            for rows in self._pieces(work.members[2])
        ]
        values = self._intensities(lambda channel: read(len(given) + channel), listing)
        self.measurement.intensities.write(work.members[2], values)
        for outlines, rows, traced in tracing:
            outlines.add(rows, *traced.result())

    def _pieces(self, rows: NDArray[np.int64]) -> list[NDArray[np.int64]]:
        """Split rows for the workers."""
        return [piece for piece in np.array_split(rows, self.workers) if len(piece)]

    def _trace(
        self, window: NDArray[np.uint32], region: Region, outlines: Outlines, rows: NDArray[np.int64]
    ) -> Traced:
        """Trace some objects and measure their shapes."""
        labels, boxes = outlines.table.labels[rows], outlines.table.boxes[rows]
        records = trace(window, region, labels.astype(np.uint32), boxes)
        shapes = shapes_of(records, labels, boxes)
        return records, shapes.polygon_counts, shape_features(shapes, self.measurement.scale)

    def _pixels(
        self,
        windows: Sequence[NDArray[np.uint32]],
        region: Region,
        rows: NDArray[np.int64],
        regions: NDArray[np.int64],
    ) -> Pixels:
        """List the pixels of some objects."""
        labels = np.stack(self.measurement.labels(rows), axis=1).astype(np.uint32)
        if self.measurement.kind is ObjectKind.CELL:
            return cell_pixels(windows[0], windows[1], region, labels, regions)
        return whole_pixels(windows[0], region, labels.max(axis=1), regions)

    def _intensities(
        self, read: Callable[[int], NDArray[Any]], listing: Sequence[Future[Pixels]]
    ) -> NDArray[np.float32]:
        """Measure all channels, as many at a time as there are workers; a row for each object."""
        compartments = n_compartments(self.measurement.kind)
        pixels = [future.result() for future in listing]
        blocks: list[list[NDArray[np.float32]]] = [[] for _ in pixels]
        for group in _groups(len(self.channels), self.workers):
            windows = list(self.pool.map(lambda channel: _as_float32(read(channel)), group))
            tasks = [[self.pool.submit(intensities, window, piece) for window in windows] for piece in pixels]
            for block, futures in zip(blocks, tasks, strict=True):
                block += [future.result() for future in futures]
        rows = [np.stack(block, axis=1).reshape(len(block[0]), -1) for block in blocks if block]
        width = len(self.channels) * compartments * N_STATISTICS
        return np.concatenate([np.empty((0, width), dtype=np.float32), *rows])


def _read(readers: Sequence[RegionReader], region: Region, index: int) -> NDArray[Any]:
    return readers[index](region)


def _as_float32(window: NDArray[Any]) -> NDArray[np.float32]:
    return np.ascontiguousarray(window, dtype=np.float32)


def _groups(count: int, size: int) -> Iterator[range]:
    """Yield the numbers below ``count``, ``size`` at a time."""
    for start in range(0, count, size):
        yield range(start, min(start + size, count))
