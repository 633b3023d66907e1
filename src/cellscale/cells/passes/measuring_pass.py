"""The second pass over an image: trace and measure every object, window by window."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from cellscale.cells.intensity.compartments import MARGIN, Pixels, cell_pixels, whole_pixels
from cellscale.cells.intensity.float_statistics import intensities
from cellscale.cells.measurement import Measurement
from cellscale.cells.object_batches import ObjectKind
from cellscale.cells.object_ids import outline_keys
from cellscale.cells.outline.outlines import Outlines
from cellscale.cells.outline.packed_outlines import Records, shapes_of
from cellscale.cells.outline.tracing import trace
from cellscale.cells.passes.windows import Strips, Swath, WindowObjects, plan
from cellscale.cells.shape_features import shape_features
from cellscale.cells.text.columns import COMPARTMENTS
from cellscale.regions import Region, RegionReader

__all__ = ["Passage", "n_compartments"]

CHANNELS = 4
"""Channels in memory at a time, at most, and as many that are read meanwhile."""

Traced: TypeAlias = tuple[Records, NDArray[np.int64], NDArray[np.float64], NDArray[np.uint64]]

WindowReader: TypeAlias = Callable[[int, int], NDArray[Any]]
"""Answers for a window and a reader, both by index."""


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

    margin: int | None = MARGIN
    """Pixels around a cell's box in which its nucleus is looked for; None for all of the nucleus."""

    def run(self, size: tuple[int, int]) -> None:
        """Go through the image in windows of about ``size`` rows and columns."""
        measurement = self.measurement
        regions = self._regions()
        tables = (measurement.cells.table.boxes, measurement.nuclei.table.boxes, regions)
        swaths, large = plan(tables, self.shape, size, measurement.scratch)
        for swath in swaths:
            strips = Strips(self._readers, swath.region, size[0])
            self._windows(swath.windows, regions, partial(_from_strips, strips, swath))
        self._windows(large, regions, partial(_directly, self._readers, large))

    @property
    def _readers(self) -> list[RegionReader]:
        """The masks that there are, and the channels."""
        return [reader for reader in (*self.masks, *self.channels) if reader]

    @property
    def _given(self) -> list[int]:
        """Which of the two masks there are."""
        return [index for index, mask in enumerate(self.masks) if mask]

    def _regions(self) -> NDArray[np.int64]:
        """Return the rectangle of each object in which its pixels are looked for."""
        cells, nuclei = self.measurement.cells.table, self.measurement.nuclei.table
        if self.measurement.kind is ObjectKind.DETECTION:
            return cells.boxes if len(cells) else nuclei.boxes
        scratch, owners = self.measurement.scratch, self.measurement.pairing.cells
        regions: NDArray[np.int64] = scratch.zeros((len(owners), 4), np.int64)
        for part in scratch.parts(len(owners)):
            boxes = cells.boxes[owners[part]]
            if self.margin is None:
                mine = self.measurement.pairing.nuclei[part]
                inside = np.where((mine >= 0)[:, None], nuclei.boxes[mine], boxes) if len(nuclei) else boxes
                regions[part, :2] = np.minimum(boxes[:, :2], inside[:, :2])
                regions[part, 2:] = np.maximum(boxes[:, 2:], inside[:, 2:])
                continue
            regions[part, :2] = np.maximum(boxes[:, :2] - self.margin, 0)
            regions[part, 2:] = np.minimum(boxes[:, 2:] + self.margin, self.shape)
        return regions

    def _windows(self, works: Sequence[WindowObjects], regions: NDArray[np.int64], read: WindowReader) -> None:
        """Measure window after window, while the masks of the next one are read."""
        ahead = self._submit_masks(works[:1], read, 0)
        for index, work in enumerate(works):
            masks = dict(zip(self._given, (future.result() for future in ahead), strict=True))
            ahead = self._submit_masks(works[index + 1 : index + 2], read, index + 1)
            self._window(work, masks, regions, partial(read, index))
            self.measurement.scratch.release()

    def _submit_masks(
        self, works: Sequence[WindowObjects], read: WindowReader, index: int
    ) -> list[Future[NDArray[Any]]]:
        """Start to read the masks of a window, if there is one."""
        return [self.pool.submit(read, index, mask) for mask in range(len(self._given)) if works]

    def _window(
        self,
        work: WindowObjects,
        masks: Mapping[int, NDArray[np.uint32]],
        regions: NDArray[np.int64],
        read: Callable[[int], NDArray[Any]],
    ) -> None:
        """Trace and measure the objects of one window."""
        sides = (self.measurement.cells, self.measurement.nuclei)
        listing = [
            self.pool.submit(self._pixels, list(masks.values()), work.region, rows, regions[rows])
            for rows in self._pieces(work.members[2])
        ]
        tracing = [
            (sides[index], rows, self.pool.submit(self._trace, mask, work.region, sides[index], rows))
            for index, mask in masks.items()
            for rows in self._pieces(work.members[index])
        ]
        if self.channels and len(work.members[2]):
            values = self._intensities(lambda channel: read(len(masks) + channel), listing)
            self.measurement.intensities[work.members[2]] = values
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
        return records, shapes.polygon_counts, shape_features(shapes, self.measurement.scale), outline_keys(shapes)

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
        """Measure all channels, some at a time while the next ones are read; a row for each object."""
        groups = list(_groups(len(self.channels), min(self.workers, CHANNELS)))
        reading = [self.pool.submit(read, channel) for channel in groups[0]]
        pixels = [future.result() for future in listing]
        blocks: list[list[NDArray[np.float32]]] = [[] for _ in pixels]
        for group in range(len(groups)):
            windows = [future.result() for future in reading]
            tasks = [[self.pool.submit(intensities, window, piece) for window in windows] for piece in pixels]
            reading = [
                self.pool.submit(read, channel)
                for following in groups[group + 1 : group + 2]
                for channel in following
            ]
            for block, futures in zip(blocks, tasks, strict=True):
                block += [future.result() for future in futures]
        return np.concatenate([np.stack(block, axis=1).reshape(len(block[0]), -1) for block in blocks])


def _from_strips(strips: Strips, swath: Swath, index: int, reader: int) -> NDArray[Any]:
    """Read a window of a swath."""
    return strips.read(reader, swath.windows[index].region, swath.top_after(index))


def _directly(
    readers: Sequence[RegionReader], works: Sequence[WindowObjects], index: int, reader: int
) -> NDArray[Any]:
    """Read a window that stands by itself."""
    return readers[reader](works[index].region)


def _groups(count: int, size: int) -> Iterator[range]:
    """Yield the numbers below ``count``, ``size`` at a time."""
    for start in range(0, count, size):
        yield range(start, min(start + size, count))
