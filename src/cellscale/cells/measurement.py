"""The result of measuring one image: what its objects are, and their measurements by batch."""

from collections.abc import Iterator
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from cellscale.annotations import DrawnRegion, WantedArea
from cellscale.cells.matching import Pairing
from cellscale.cells.object_batches import CellBatch, ObjectKind
from cellscale.cells.object_ids import object_ids, together
from cellscale.cells.outline.outlines import Outlines
from cellscale.cells.outline.shapes import Shapes
from cellscale.cells.scratch_arrays import Scratch
from cellscale.cells.shape_features import FEATURES, centroids
from cellscale.cells.text.columns import Columns, cell_columns, detection_columns, shown_names
from cellscale.cells.text.dialects import Dialect
from cellscale.images.info import PixelSize

__all__ = ["Measurement"]

CIRCULARITY = 2
"""Index of the shape feature that an object in several parts does not have."""


class Measurement:
    """All objects of one image; a context manager that deletes its intermediate files on leaving.

    Parameters
    ----------
    image_name
        Name of the image.
    identity
        Of the image, from which object ids are derived.
    kind
        What the objects are.
    channel_names
        Names of the image's channels, different ones, not trimmed; blank ones get a name as QuPath gives it.
    pixel_size
        None where measurements are in pixels.
    cells, nuclei
        Objects of the masks; empty for a mask that does not exist.
    pairing
        The objects in their order. For detections of a nucleus mask the cell is -1.
    intensities
        A row for each object: channel, compartment, statistic, float32.
    scratch
        Where all this is kept.
    """

    def __init__(
        self,
        *,
        image_name: str,
        identity: bytes,
        kind: ObjectKind,
        channel_names: tuple[str, ...],
        pixel_size: PixelSize | None,
        cells: Outlines,
        nuclei: Outlines,
        pairing: Pairing,
        intensities: NDArray[np.float32],
        scratch: Scratch,
    ) -> None:
        self.image_name = image_name
        self.identity = identity
        self.kind = kind
        self.channel_names = shown_names(channel_names)
        self.pixel_size = pixel_size
        self.cells = cells
        self.nuclei = nuclei
        self.pairing = pairing
        self.intensities = intensities
        self.scratch = scratch
        self.region_names: tuple[str, ...] = ()
        """Names of the image's regions; empty for none, and until `assign_regions`."""
        self.regions: tuple[DrawnRegion, ...] = ()
        """The regions where somebody drew them: objects belong to them in QuPath."""
        self._regions: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        """Return the number of objects."""
        return len(self.pairing.cells)

    def __enter__(self) -> "Measurement":
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Delete the intermediate files."""
        self.close()

    def close(self) -> None:
        """Delete the intermediate files; batches cannot be read any more."""
        self.scratch.close()

    @property
    def unit(self) -> str:
        """Unit of lengths: ``µm`` or ``px``."""
        return "px" if self.pixel_size is None else "µm"

    @property
    def scale(self) -> tuple[float, float]:
        """Width and height of a pixel in that unit."""
        return (1.0, 1.0) if self.pixel_size is None else (self.pixel_size.x, self.pixel_size.y)

    @property
    def unmatched_nuclei(self) -> int:
        """Number of nuclei that belong to no object."""
        return self.pairing.unmatched_nuclei

    def labels(self, rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the cell labels and the nucleus labels of objects, 0 for none."""
        return _labels(self.cells, self.pairing.cells[rows]), _labels(self.nuclei, self.pairing.nuclei[rows])

    def ids(self, rows: NDArray[np.int64]) -> NDArray[np.bytes_]:
        """Return the QuPath ids of objects, 36 characters each."""
        cells, nuclei = self.pairing.cells[rows], self.pairing.nuclei[rows]
        keys = self.nuclei.keys[nuclei] if self._of_nuclei else self.cells.keys[cells]
        if self.pairing.further is not None:
            further = self.pairing.further[rows]
            keys[further] = together(keys[further], self.nuclei.keys[nuclei[further]])
        return object_ids(self.identity, keys)

    def assign_regions(self, area: WantedArea, size: int = 4096) -> None:
        """Find out which of an image's regions holds each object's centroid."""
        regions = self.scratch.filled(len(self), -1)
        for start in range(0, len(self), size):
            part = slice(start, min(start + size, len(self)))
            regions[part] = area.indices(centroids(self._outlines(part)))
        self.region_names, self._regions = area.names, regions
        self.regions = area.drawn

    def objects_by_region(self) -> list[int]:
        """Return the number of objects whose centroid is in each region."""
        counts = np.zeros(len(self.region_names), np.int64)
        if self._regions is not None:
            for part in self.scratch.parts(len(self)):
                regions = self._regions[part]
                counts += np.bincount(regions[regions >= 0], minlength=len(counts))
        return [int(count) for count in counts]

    def _outlines(self, part: slice) -> Shapes:
        """Return the outlines of the objects in a range."""
        return (
            self.nuclei.shapes(self.pairing.nuclei[part])
            if self._of_nuclei
            else self.cells.shapes(self.pairing.cells[part])
        )

    @property
    def root_id(self) -> str:
        """The QuPath id of the object that holds all others."""
        return bytes(object_ids(self.identity, np.zeros((1, 2), np.uint64))[0]).decode("ascii")

    def objects_of(self, outlines: Outlines) -> NDArray[np.int64]:
        """Return, for each object of a mask, the first of the image's objects that it is part of, or -1."""
        rows = self.pairing.cells if outlines is self.cells else self.pairing.nuclei
        objects = self.scratch.filled(len(outlines.table), -1)
        for part in self.scratch.parts(len(rows)):
            there = part.start + np.flatnonzero(rows[part] >= 0)
            there = there[objects[rows[there]] < 0]
            # Backward, so that the first of several holds.
            objects[rows[there[::-1]]] = there[::-1]
        return objects

    def columns(self, dialect: Dialect) -> Columns:
        """Return the measurements in the order in which each object lists those that it has."""
        if self.kind is ObjectKind.CELL:
            return cell_columns(self.channel_names, self.unit, dialect)
        return detection_columns(self.channel_names, self.unit)

    def columns_by_appearance(self, dialect: Dialect) -> Columns:
        """Return the measurements that any object has, in the order of the first object that has each.

        This is the order of QuPath's table: a measurement that the first object does not have comes after its own.
        """
        columns = self.columns(dialect)
        first = np.zeros(int(columns.sources.max(initial=-1)) + 1, dtype=np.int64)
        optional = list(self._optional(0, 0))
        first[optional] = len(self)
        for part in self.scratch.parts(len(self)):
            for source, present in self._optional(part.start, part.stop).items():
                if first[source] == len(self) and present.any():
                    first[source] = part.start + np.argmax(present)
            if (first[optional] < len(self)).all():
                break
        first = first[columns.sources]
        order = np.argsort(first, kind="stable")
        return columns.reordered(order[first[order] < len(self)])

    def batches(self, size: int = 4096) -> Iterator[CellBatch]:
        """Yield the objects in order, at most ``size`` at a time."""
        for start in range(0, len(self), size):
            yield self.batch(start, min(start + size, len(self)))
            self.scratch.release()

    def batch(self, start: int, stop: int) -> CellBatch:
        """Return the objects from ``start`` to ``stop - 1``."""
        cells, nuclei = self.pairing.cells[start:stop], self.pairing.nuclei[start:stop]
        cell_labels, nucleus_labels = self.labels(np.arange(start, stop))
        inner = nuclei if self.kind is ObjectKind.CELL else np.full(stop - start, -1)
        values = np.concatenate([self.intensities[start:stop], self._shape_values(cells, nuclei)], axis=1)
        absent = np.zeros(values.shape, dtype=np.bool_)
        for source, present in self._optional(start, stop).items():
            absent[:, source] = ~present
        return CellBatch(
            start=start,
            kind=self.kind,
            ids=self.ids(np.arange(start, stop)),
            cell_labels=cell_labels,
            nucleus_labels=nucleus_labels,
            outlines=self._outlines(slice(start, stop)),
            nuclei=self.nuclei.shapes(inner[inner >= 0]),
            nucleus_rows=np.where(inner >= 0, np.cumsum(inner >= 0) - 1, -1),
            values=values,
            absent=absent,
            regions=None if self._regions is None else self._regions[start:stop],
        )

    @property
    def _of_nuclei(self) -> bool:
        """Whether the objects are detections of a nucleus mask."""
        return self.kind is ObjectKind.DETECTION and not len(self.cells.table)

    @property
    def _first_shape(self) -> int:
        """Column of the first shape feature, in the order of measuring."""
        return int(self.intensities.shape[1])

    def _shape_values(self, cells: NDArray[np.int64], nuclei: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the shape features of objects, in the order of measuring."""
        if self.kind is ObjectKind.DETECTION:
            features = self.nuclei.features[nuclei] if self._of_nuclei else self.cells.features[cells]
            return features.astype(np.float32)
        with_nucleus = nuclei >= 0
        inner = np.full((len(nuclei), FEATURES), np.nan)
        inner[with_nucleus] = self.nuclei.features[nuclei[with_nucleus]]
        ratio = np.full(len(nuclei), np.nan)
        areas = self._areas(self.nuclei, nuclei[with_nucleus]), self._areas(self.cells, cells[with_nucleus])
        ratio[with_nucleus] = np.minimum(areas[0] / areas[1], 1)
        return np.column_stack([inner, self.cells.features[cells], ratio]).astype(np.float32)

    def _areas(self, outlines: Outlines, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the areas of which QuPath takes ratios: exact ones where pixels are as good as square."""
        width, height = self.scale
        if abs(width - height) / max(width, height) < 1e-4:
            return outlines.table.pixels[rows].astype(np.float64) * width * height
        areas: NDArray[np.float64] = outlines.features[rows, 0]
        return areas

    def _optional(self, start: int, stop: int) -> dict[int, NDArray[np.bool_]]:
        """Return, for each measurement that some objects lack, which of the objects in a range have it."""
        cells, nuclei = self.pairing.cells[start:stop], self.pairing.nuclei[start:stop]
        if self.kind is ObjectKind.DETECTION:
            parts = self.nuclei.parts[nuclei] if self._of_nuclei else self.cells.parts[cells]
            return {self._first_shape + CIRCULARITY: parts == 1}
        with_nucleus = nuclei >= 0
        nucleus, cell = self._first_shape, self._first_shape + FEATURES
        optional = dict.fromkeys((*range(nucleus, cell), cell + FEATURES), with_nucleus)
        single = with_nucleus.copy()
        single[with_nucleus] = self.nuclei.parts[nuclei[with_nucleus]] == 1
        return optional | {nucleus + CIRCULARITY: single, cell + CIRCULARITY: self.cells.parts[cells] == 1}


def _labels(outlines: Outlines, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the labels of objects of a mask, 0 where the row is -1."""
    labels = np.zeros(len(rows), dtype=np.int64)
    labels[rows >= 0] = outlines.table.labels[rows[rows >= 0]]
    return labels
