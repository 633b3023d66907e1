"""What an image's objects are now, to know whether they have changed."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from cellscale.annotations import DrawnRegion, DrawnRegions
from cellscale.cells.object_batches import CellBatch
from cellscale.cells.object_ids import outline_keys
from cellscale.cells.text import Columns, Dialect

__all__ = ["ObjectTally"]


class ObjectTally:
    """Takes note of objects that pass by; the size of batches does not matter.

    Parameters
    ----------
    columns
        Measurements that are written.
    dialect
        Decides how outlines are written.
    regions
        Regions that hold objects.
    by_outline
        Whether to remember every object.
    """

    def __init__(
        self, columns: Columns, dialect: Dialect, regions: Sequence[DrawnRegion] = (), *, by_outline: bool = False
    ) -> None:
        self._columns = columns
        self._regions = hashlib.blake2b(DrawnRegions(tuple(regions), "").mark.encode()) if regions else None
        self._parts = [hashlib.blake2b(repr((columns.names, dialect.value)).encode())]
        self._parts += [hashlib.blake2b() for _ in range(5)]
        self._by_outline = by_outline
        self.count = 0
        self.ids: list[str] = []
        """Ids of all objects."""
        self.regions: list[int] = []
        """Index of the region that holds each of them, -1 for none; empty where there are no regions."""
        self.by_region: Counter[int] = Counter()
        """The number of objects by the same."""
        self.outlines: dict[tuple[int, int], str] = {}
        """The same by the numbers of their outlines; the first of several."""

    def passing(self, batches: Iterable[CellBatch]) -> Iterator[CellBatch]:
        """Yield batches on, and take note of their objects."""
        for batch in batches:
            self.add(batch)
            yield batch

    def add(self, batch: CellBatch) -> None:
        """Take note of a batch."""
        self.count += len(batch)
        values, absent = batch.select(self._columns)
        keys = outline_keys(batch.outlines)
        nuclei = np.zeros_like(keys)
        with_nucleus = batch.nucleus_rows >= 0
        nuclei[with_nucleus] = outline_keys(batch.nuclei)[batch.nucleus_rows[with_nucleus]]
        for part, array in zip(self._parts[1:], (batch.ids, keys, nuclei, values, absent), strict=True):
            part.update(np.ascontiguousarray(array).tobytes())
        self._add_regions(batch)
        if self._by_outline:
            ids = [identity.decode("ascii") for identity in batch.ids.tolist()]
            self.ids += ids
            for key, identity in zip(map(tuple, keys.tolist()), ids, strict=True):
                self.outlines.setdefault(key, identity)

    def _add_regions(self, batch: CellBatch) -> None:
        if self._regions is None or batch.regions is None:
            self.by_region[-1] += len(batch)
            return
        self._regions.update(np.ascontiguousarray(batch.regions).tobytes())
        regions = batch.regions.tolist()
        self.by_region.update(regions)
        if self._by_outline:
            self.regions += regions

    @property
    def digest(self) -> str:
        """Hash of all that is written of the objects."""
        whole = hashlib.blake2b(digest_size=16)
        for part in (*self._parts, *([] if self._regions is None else [self._regions])):
            whole.update(part.digest())
        return whole.hexdigest()

    @property
    def which(self) -> str:
        """Hash of which objects there are, whatever was measured of them."""
        return self._parts[1].copy().hexdigest()[:32]
