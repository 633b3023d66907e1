"""Blocks labelled from seeds, and the labels that they make together."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cellscale.label.mosaic import Mosaic
from cellscale.label.resize import nearest_rows_columns, nearest_source
from cellscale.label.seeds import (
    REACH,
    Classifier,
    FieldReader,
    Numbers,
    SeedBlock,
    label_seed_block,
    numbered,
    numbered_alone,
    numbered_pairs,
)
from cellscale.pipeline.resume.state import RunState
from cellscale.pipeline.segmenting.block_store import CertificateSummary, SettledLabels, StoredBlocks
from cellscale.predict.heads import Compartment
from cellscale.regions import Region

__all__ = ["SeedBlockStore", "SeedLabeller", "settled"]


class SeedBlockStore(StoredBlocks[SeedBlock]):
    """A compartment's blocks, labelled from seeds."""

    def __init__(
        self, state: RunState, name: str, shape: tuple[int, int], cores: Sequence[Region] | None = None
    ) -> None:
        super().__init__(state, name, shape, SeedBlock.from_arrays, cores=cores)

    def load(self, index: int) -> SeedBlock:
        """Return one labelled block; one without seeds where nothing was to be labelled."""
        core = self.cores[index]
        if core.size:
            return super().load(index)
        nothing = np.empty(0, np.int64)
        return SeedBlock(core, np.zeros(core.shape, np.int32), nothing, nothing, np.empty((0, 3), np.int64))

    def objects(self, block: SeedBlock) -> NDArray[np.int64]:
        """Return a block's seeds."""
        return block.seeds


class SeedLabeller:
    """Labels the blocks of one compartment, from any thread; none is ever postponed.

    Parameters
    ----------
    store
        Where the labels go.
    read
        Answers for a region with the compartment's maps.
    classifier
        Judges pixels.
    """

    def __init__(self, store: SeedBlockStore, read: FieldReader, classifier: Classifier) -> None:
        self._store = store
        self._read = read
        self._classifier = classifier

    def label(self, index: int) -> bool:
        """Label a block."""
        core = self._store.cores[index]
        self._store.keep(index, label_seed_block(self._read, core, self._store.shape, self._classifier))
        return True

    def label_alone(self, index: int) -> bool:
        """Label a block."""
        return self.label(index)

    def label_postponed(self) -> Iterator[int]:
        """Yield nothing."""
        yield from ()


@dataclass(frozen=True, slots=True)
class SeedLabels:
    """The final labels of one compartment, read by region at the image's own resolution."""

    mosaic: Mosaic
    numbers: Numbers
    shape: tuple[int, int]
    """Rows and columns of the image; those of the mosaic differ where the network saw it rescaled."""
    certificate: CertificateSummary
    nuclei: "SeedLabels | None" = None
    """Nuclei, whose pixels are their cells' first of all."""

    @property
    def count(self) -> int:
        """Objects found."""
        return self.numbers.count

    def read(self, region: Region) -> NDArray[np.int32]:
        """Return the labels of a region; 0 for background."""
        if self.mosaic.shape == self.shape:
            return self._seen(region)
        source = nearest_source(region, self.shape, self.mosaic.shape)
        rows, columns = nearest_rows_columns(region, self.shape, self.mosaic.shape)
        return self._seen(source)[np.ix_(rows - source.top, columns - source.left)]

    def _seen(self, region: Region) -> NDArray[np.int32]:
        """Return the labels of a region of what the network saw."""
        labels = numbered(self.mosaic.identities(region), self.numbers.seeds, self.numbers.labels)
        if self.nuclei is None:
            return labels
        inner = self.nuclei._seen(region)
        return np.where(inner > 0, inner, labels)


def settled(stores: Mapping[Compartment, SeedBlockStore], shape: tuple[int, int]) -> dict[Compartment, SettledLabels]:
    """Return the labels that all blocks make, for an image of ``shape``; nuclei and cells are paired."""
    cells, nuclei = stores.get("whole-cell"), stores.get("nuclear")
    if cells is None or nuclei is None:
        return {
            compartment: _labels(store, numbered_alone(store, store), shape) for compartment, store in stores.items()
        }
    inner, outer = numbered_pairs(nuclei, cells, zip(nuclei, cells, strict=True))
    found = _labels(nuclei, inner, shape)
    made: dict[Compartment, SettledLabels] = {"whole-cell": _labels(cells, outer, shape, found), "nuclear": found}
    return {compartment: made[compartment] for compartment in stores}


def _labels(
    store: SeedBlockStore, numbers: Numbers, shape: tuple[int, int], nuclei: SeedLabels | None = None
) -> SeedLabels:
    return SeedLabels(store.mosaic(), numbers, shape, CertificateSummary(len(store.cores), 0, REACH), nuclei)
