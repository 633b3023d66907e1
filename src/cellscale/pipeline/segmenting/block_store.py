"""Labels of one compartment of an image: block by block, then settled once for all."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from threading import Lock
from typing import Any

import numpy as np
from cachetools import LRUCache
from numpy.typing import NDArray

from cellscale.errors import DamagedStateError
from cellscale.label.block import Certificate, LabelledBlock, label_block
from cellscale.label.kernels import grown
from cellscale.label.maps import MapReader
from cellscale.label.mosaic import Mosaic
from cellscale.label.numbering import Resolution, finish_region, resolve_objects
from cellscale.label.objects import complete_objects, merge_objects, no_objects
from cellscale.label.parameters import Parameters
from cellscale.label.resize import nearest_rows_columns, nearest_source
from cellscale.pipeline.area import AreaCores, Selection, is_enough, selected_labels
from cellscale.pipeline.resume.state import CHECKSUM, RunState
from cellscale.predict.heads import COMPARTMENTS, Compartment
from cellscale.regions import Region, blocks

__all__ = ["BLOCK", "BlockStore", "CertificateSummary", "CompartmentLabels", "grown_cells", "selected_cells"]

BLOCK = 1024
"""Side of a block in pixels: the unit of labelling and of resume. Results do not depend on it, kept state does."""


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


class BlockStore:
    """A compartment's labelled blocks on disk.

    Parameters
    ----------
    state
        The image's run state.
    name
        The compartment.
    shape
        Rows and columns of the image that the network saw.
    capacity
        Blocks kept in memory for the next readers.
    cores
        Of each block the part that is labelled, empty for nothing; None for all of all blocks. Stores of other parts
        need another prefix.
    prefix
        Goes before the numbers of the units on disk.
    """

    def __init__(
        self,
        state: RunState,
        name: str,
        shape: tuple[int, int],
        capacity: int = 8,
        cores: Sequence[Region] | None = None,
        prefix: str = "",
    ) -> None:
        self.shape = shape
        self.cores = list(blocks(shape, (BLOCK, BLOCK)) if cores is None else cores)
        self.is_part = cores is not None
        self._state = state
        self._name = f"{name}/{prefix}"
        self._cache: LRUCache[int, LabelledBlock] = LRUCache(capacity)
        self._lock = Lock()

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

    def label(self, index: int, read_maps: MapReader, parameters: Parameters, limit: int) -> None:
        """Label one block, looking at no more than ``limit`` pixels at once, and keep it."""
        arrays = label_block(read_maps, self.cores[index], self.shape, parameters, limit=limit).to_arrays()
        labels = arrays.pop("labels")
        if labels.any():
            # The labels go first and on their own: whoever writes a band of the mask reads only those rows.
            arrays[CHECKSUM] = np.array(self._state.save_plane(self._unit(index), labels), np.uint32)
        else:
            arrays["blank"] = np.zeros(1, np.int32)  # most blocks of a slide with much glass
        self._state.save(self._unit(index), **arrays)

    def load(self, index: int) -> LabelledBlock:
        """Return one labelled block."""
        core = self.cores[index]
        if not core.size:
            return LabelledBlock(core, np.zeros(core.shape, np.int32), no_objects(), Certificate(0, 0))
        with self._lock:
            if index in self._cache:
                return self._cache[index]
        arrays = self._state.load(self._unit(index))
        labels = None if arrays is None else self._labels(index, arrays)
        if arrays is None or labels is None:
            raise DamagedStateError(f"{self._state.folder}: {self._unit(index)} was damaged or removed")
        arrays.pop(CHECKSUM, None)
        block = LabelledBlock.from_arrays({**arrays, "labels": labels})
        with self._lock:
            self._cache[index] = block
        return block

    def _labels(self, index: int, arrays: dict[str, NDArray[Any]]) -> NDArray[np.int32] | None:
        """Return a block's labels, from disk as they are touched."""
        if "blank" in arrays:
            return np.broadcast_to(arrays["blank"], self.cores[index].shape)
        return self._state.map_plane(self._unit(index), int(arrays.get(CHECKSUM, -1)))

    def __iter__(self) -> Iterator[LabelledBlock]:
        """Yield every block that was to be labelled, without keeping it in memory."""
        for index, core in enumerate(self.cores):
            if core.size:
                yield self.load(index)

    def _unit(self, index: int) -> str:
        return f"{self._name}{index}"

    def is_enough_for(self, plan: AreaCores) -> bool:
        """Tell whether what is labelled tells for certain what all objects of an area are."""
        return is_enough(plan, self.cores, -(-self.shape[1] // BLOCK), self.load)


@dataclass(frozen=True, slots=True)
class CompartmentLabels:
    """The final labels of one compartment, read by region at the image's own resolution."""

    mosaic: Mosaic
    resolution: Resolution
    shape: tuple[int, int]
    """Rows and columns of the image; those of the mosaic differ where the network saw it rescaled."""
    certificate: CertificateSummary
    growth: float = 0.0
    """Pixels of the image by which objects grow into the background around them."""
    selection: Selection | None = None
    """Which objects stay where a part of the image is wanted; None for all."""

    @classmethod
    def settle(cls, store: BlockStore, parameters: Parameters, shape: tuple[int, int]) -> "CompartmentLabels":
        """Merge the blocks' objects, remove small ones, fill holes and number the rest, for an image of ``shape``."""
        certificates: list[Certificate] = []
        mosaic = Mosaic(store.shape, (BLOCK, BLOCK), store.load)
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
        return len(self.resolution) if self.selection is None else len(self.selection)

    @property
    def reach(self) -> int:
        """Pixels around a region on which its labels depend besides."""
        return math.floor(self.growth)

    def read(self, region: Region) -> NDArray[np.int32]:
        """Return the labels of a region; 0 for background."""
        labels = self._grown(region)
        return labels if self.selection is None else self.selection(labels)

    def _grown(self, region: Region) -> NDArray[np.int32]:
        """Return the labels of a region before any are left out."""
        if not self.reach:
            return self._read(region)
        labels = np.empty(region.shape, np.int32)
        for part in blocks(region.shape, (region.height, BLOCK)):  # or what is around a wide region takes as much
            core = Region(region.top, region.left + part.left, region.bottom, region.left + part.right)
            seen = core.grown(self.reach, self.shape)
            labels[part.slices] = grown(self._read(seen), self.growth)[core.within(seen)]
        return labels

    def _read(self, region: Region) -> NDArray[np.int32]:
        """Return the labels of a region as they are before they grow."""
        if self.mosaic.shape == self.shape:
            return finish_region(self.mosaic.identities(region), self.resolution, region)
        source = nearest_source(region, self.shape, self.mosaic.shape)
        labels = finish_region(self.mosaic.identities(source), self.resolution, source)
        rows, columns = nearest_rows_columns(region, self.shape, self.mosaic.shape)
        return labels[np.ix_(rows - source.top, columns - source.left)]


def grown_cells(
    labels: Mapping[Compartment, CompartmentLabels], growth: float, *, of_nuclei: bool
) -> dict[Compartment, CompartmentLabels]:
    """Return labels with those of whole cells grown.

    Parameters
    ----------
    labels
        Of each compartment.
    growth
        Pixels of the image.
    of_nuclei
        Whole cells are the nuclei, grown, and have their numbers.
    """
    grown_ones: dict[Compartment, CompartmentLabels] = dict(labels)
    made: Compartment = "nuclear" if of_nuclei else "whole-cell"
    if made in labels:
        grown_ones["whole-cell"] = replace(labels[made], growth=growth)
    return {compartment: grown_ones[compartment] for compartment in COMPARTMENTS if compartment in grown_ones}


def selected_cells(
    labels: Mapping[Compartment, CompartmentLabels], plan: AreaCores, cores: Sequence[Region], *, of_nuclei: bool
) -> dict[Compartment, CompartmentLabels]:
    """Return labels without the objects whose centre is not in the area that is wanted.

    Parameters
    ----------
    labels
        Of each compartment, grown if they are to grow.
    plan
        What is wanted.
    cores
        What was labelled.
    of_nuclei
        Whole cells are the nuclei, grown: they decide for both, and keep the same numbers.
    """
    selections = {}
    for compartment, found in labels.items():
        if not (of_nuclei and compartment == "nuclear"):
            parts = plan.in_image(cores, found.reach, BLOCK)
            selections[compartment] = selected_labels(plan.area, found.read, parts, len(found.resolution))
    if of_nuclei:
        selections["nuclear"] = selections["whole-cell"]
    return {compartment: replace(found, selection=selections[compartment]) for compartment, found in labels.items()}


def _noting(store: BlockStore, note: Callable[[Certificate], object]) -> Iterator[LabelledBlock]:
    for block in store:
        note(block.certificate)
        yield block
