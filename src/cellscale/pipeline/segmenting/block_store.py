"""Labels of one compartment of an image: block by block, then settled once for all."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from threading import Lock
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
from cachetools import LRUCache
from numpy.typing import NDArray

from cellscale.errors import DamagedStateError
from cellscale.label.block import Certificate, LabelledBlock, label_block
from cellscale.label.maps import MapReader
from cellscale.label.mosaic import Mosaic
from cellscale.label.numbering import Resolution, finish_region, resolve_objects
from cellscale.label.objects import complete_objects, merge_objects, no_objects
from cellscale.label.parameters import BLOCK, Parameters
from cellscale.label.resize import nearest_rows_columns, nearest_source
from cellscale.pipeline.area import AreaCores, lacking
from cellscale.pipeline.resume.state import CHECKSUM, RunState
from cellscale.regions import Region, blocks

__all__ = [
    "BLOCK",
    "Block",
    "BlockStore",
    "CertificateSummary",
    "CompartmentLabels",
    "SettledLabels",
    "Store",
    "StoredBlocks",
]


@dataclass(frozen=True, slots=True)
class CertificateSummary:
    """What all blocks' certificates say together: every block proved its labels to be the whole image's."""

    blocks: int
    enlarged: int
    """Blocks whose halo had to grow."""
    largest_halo: int
    """Pixels."""

    @classmethod
    def of(cls, certificates: Iterable[Certificate]) -> "CertificateSummary":
        """Sum up the certificates of an image's blocks."""
        every = list(certificates)
        return cls(
            blocks=len(every),
            enlarged=sum(certificate.enlargements > 0 for certificate in every),
            largest_halo=max((certificate.halo for certificate in every), default=0),
        )


class Block(Protocol):
    """A labelled block."""

    @property
    def core(self) -> Region:
        """The block, without halo."""

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Return everything as plain arrays, for storage."""

    def identities(self, part: Region) -> NDArray[np.int64]:
        """Return the identity of each pixel of a part of the core; 0 for background."""


B = TypeVar("B", bound=Block)


class SettledLabels(Protocol):
    """The final labels of one compartment, read by region at the image's own resolution."""

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the image."""

    @property
    def certificate(self) -> CertificateSummary:
        """What proves that they are the whole image's."""

    @property
    def count(self) -> int:
        """Objects found."""

    def read(self, region: Region) -> NDArray[np.int32]:
        """Return the labels of a region; 0 for background."""


class Store(Protocol):
    """A compartment's labelled blocks on disk, whatever they are."""

    cores: list[Region]

    @property
    def count(self) -> int:
        """How many blocks are to be labelled."""

    def missing(self) -> list[int]:
        """Return the raster-order indices of the blocks that are not labelled yet."""

    def has(self, index: int) -> bool:
        """Tell whether a block is labelled."""

    @property
    def found(self) -> int:
        """Objects that begin in the blocks labelled so far, by this process; small ones will be removed."""


class StoredBlocks(ABC, Generic[B]):
    """A compartment's labelled blocks on disk.

    Parameters
    ----------
    state
        The image's run state.
    name
        The compartment.
    shape
        Rows and columns of the image that the network saw.
    decoded
        Makes a block of its arrays.
    capacity
        Blocks kept in memory for the next readers.
    cores
        Of each block the part that is labelled, empty for nothing; None for all of all blocks. What
        another part has in common with this one is labelled once.
    """

    def __init__(
        self,
        state: RunState,
        name: str,
        shape: tuple[int, int],
        decoded: Callable[[dict[str, NDArray[Any]]], B],
        capacity: int = 8,
        cores: Sequence[Region] | None = None,
    ) -> None:
        self.shape = shape
        self.cores = list(blocks(shape, (BLOCK, BLOCK)) if cores is None else cores)
        self.is_part = cores is not None
        self._state = state
        self._name = name
        self._decoded = decoded
        self._cache: LRUCache[int, B] = LRUCache(capacity)
        self._lock = Lock()
        self.found = 0
        """Objects that begin in the blocks labelled so far, by this process; small ones will be removed."""

    def missing(self) -> list[int]:
        """Return the raster-order indices of the blocks that are not labelled yet."""
        return [index for index, core in enumerate(self.cores) if core.size and not self.has(index)]

    @property
    def count(self) -> int:
        """Return how many blocks are to be labelled."""
        return sum(core.size > 0 for core in self.cores)

    def has(self, index: int) -> bool:
        """Tell whether a block is labelled."""
        return self._state.has(self._unit(index))

    def keep(self, index: int, block: B) -> None:
        """Keep a labelled block."""
        arrays = block.to_arrays()
        labels = arrays.pop("labels")
        if labels.any():
            # The labels go first and on their own: whoever writes a band of the mask reads only those rows.
            arrays[CHECKSUM] = np.array(self._state.save_plane(self._unit(index), labels), np.uint32)
        else:
            arrays["blank"] = np.zeros(1, np.int32)  # most blocks of a slide with much glass
        self._state.save(self._unit(index), **arrays)
        begun = self._begun(block.core, self.objects(block))
        with self._lock:
            self.found += begun

    @abstractmethod
    def objects(self, block: B) -> NDArray[np.int64]:
        """Return a block's objects, each by a place in the whole image in raster order, from 1."""

    def _begun(self, core: Region, objects: NDArray[np.int64]) -> int:
        """Return how many objects begin in a block, so that those that cross its border count once."""
        rows, columns = np.divmod(objects - 1, self.shape[1])
        inside = (rows >= core.top) & (rows < core.bottom) & (columns >= core.left) & (columns < core.right)
        return int(np.count_nonzero(inside))

    def load(self, index: int) -> B:
        """Return one labelled block."""
        with self._lock:
            if index in self._cache:
                return self._cache[index]
        arrays = self._state.load(self._unit(index))
        labels = None if arrays is None else self._labels(index, arrays)
        if arrays is None or labels is None:
            raise DamagedStateError(f"{self._state.folder}: {self._unit(index)} was damaged or removed")
        arrays.pop(CHECKSUM, None)
        block = self._decoded({**arrays, "labels": labels})
        with self._lock:
            self._cache[index] = block
        return block

    def mosaic(self) -> Mosaic:
        """Return all blocks as one image; each is loaded when it is asked for."""
        return Mosaic(self.shape, (BLOCK, BLOCK), self.load)

    def _labels(self, index: int, arrays: dict[str, NDArray[Any]]) -> NDArray[np.int32] | None:
        """Return a block's labels, from disk as they are touched."""
        if "blank" in arrays:
            return np.broadcast_to(arrays["blank"], self.cores[index].shape)
        return self._state.map_plane(self._unit(index), int(arrays.get(CHECKSUM, -1)))

    def __iter__(self) -> Iterator[B]:
        """Yield every block that was to be labelled, without keeping it in memory."""
        for index, core in enumerate(self.cores):
            if core.size:
                yield self.load(index)

    def _unit(self, index: int) -> str:
        if not self.is_part:
            return f"{self._name}/{index}"
        core = self.cores[index]
        return f"{self._name}/{index}_{core.top}_{core.left}_{core.bottom}_{core.right}"


class BlockStore(StoredBlocks[LabelledBlock]):
    """A compartment's blocks, labelled with maxima and interior."""

    def __init__(
        self,
        state: RunState,
        name: str,
        shape: tuple[int, int],
        capacity: int = 8,
        cores: Sequence[Region] | None = None,
    ) -> None:
        super().__init__(state, name, shape, LabelledBlock.from_arrays, capacity, cores)

    def load(self, index: int) -> LabelledBlock:
        """Return one labelled block; one without objects where nothing was to be labelled."""
        core = self.cores[index]
        if core.size:
            return super().load(index)
        return LabelledBlock(core, np.zeros(core.shape, np.int32), no_objects(), Certificate(0, 0))

    def lacking(self, plan: AreaCores, parameters: Parameters) -> frozenset[int]:
        """Return the blocks of which more is to be labelled before all objects of an area are certain."""
        return lacking(plan, self.cores, BLOCK, parameters.holes, self.load)

    def objects(self, block: LabelledBlock) -> NDArray[np.int64]:
        """Return a block's objects, each by its first pixel."""
        return block.objects.identities

    def label(self, index: int, read_maps: MapReader, parameters: Parameters, limit: int) -> None:
        """Label one block, looking at no more than ``limit`` pixels at once, and keep it."""
        self.keep(index, label_block(read_maps, self.cores[index], self.shape, parameters, limit=limit))


@dataclass(frozen=True, slots=True)
class CompartmentLabels:
    """The final labels of one compartment, read by region at the image's own resolution."""

    mosaic: Mosaic
    resolution: Resolution
    shape: tuple[int, int]
    """Rows and columns of the image; those of the mosaic differ where the network saw it rescaled."""
    certificate: CertificateSummary

    @classmethod
    def settle(cls, store: BlockStore, parameters: Parameters, shape: tuple[int, int]) -> "CompartmentLabels":
        """Merge the blocks' objects, remove small ones, fill holes and number the rest, for an image of ``shape``."""
        certificates: list[Certificate] = []
        mosaic = store.mosaic()
        noted = _noting(store, certificates.append)
        if store.is_part:  # rows of blocks may have gaps, and a part has fewer objects
            objects = iter([merge_objects(block.objects for block in noted)])
        else:
            rows = groupby(noted, key=lambda block: block.core.top)
            objects = complete_objects((block.objects for block in row) for _, row in rows)
        resolution = resolve_objects(objects, mosaic.identities, store.shape, parameters)
        return cls(mosaic, resolution, shape, CertificateSummary.of(certificates))

    @property
    def count(self) -> int:
        """Objects found."""
        return len(self.resolution)

    def read(self, region: Region) -> NDArray[np.int32]:
        """Return the labels of a region; 0 for background."""
        if self.mosaic.shape == self.shape:
            return finish_region(self.mosaic.identities(region), self.resolution, region)
        source = nearest_source(region, self.shape, self.mosaic.shape)
        labels = finish_region(self.mosaic.identities(source), self.resolution, source)
        rows, columns = nearest_rows_columns(region, self.shape, self.mosaic.shape)
        return labels[np.ix_(rows - source.top, columns - source.left)]


def _noting(store: BlockStore, note: Callable[[Certificate], object]) -> Iterator[LabelledBlock]:
    for block in store:
        note(block.certificate)
        yield block
