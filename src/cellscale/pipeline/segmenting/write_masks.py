"""Labels of an image as its masks."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from cellscale.images.masks import write_mask
from cellscale.ordered import in_order
from cellscale.pipeline.image_run import ImageRun
from cellscale.pipeline.segmenting.inputs import NetworkInput
from cellscale.pipeline.segmenting.methods import GrownLabels, SelectedLabels
from cellscale.predict.heads import Compartment
from cellscale.regions import Region, blocks
from cellscale.storage.uri import Location

__all__ = ["Labels", "write_masks"]

BAND = 2**21
"""Pixels of a mask that are finished at once, in bands over the whole width."""


class Labels(Protocol):
    """Labels of one compartment of an image."""

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""

    def read(self, region: Region) -> NDArray[np.int32]:
        """Return the labels of a region; 0 for background."""


def write_masks(
    run: ImageRun,
    files: Mapping[Compartment, Sequence[Location]],
    labels: Mapping[Compartment, Labels],
    source: NetworkInput,
    check: Callable[[], None],
) -> None:
    """Write an image's masks, each whole or not at all.

    Parameters
    ----------
    run
        Who listens.
    files
        Where they go, by compartment.
    labels
        What is written.
    source
        Has the size of a pixel.
    check
        Is called when a mask is whole, before it takes its name.

    Raises
    ------
    StorageError
        One cannot be written.
    """
    with run.stage("masks", sum(len(group) for group in files.values())) as advance:
        for compartment, group in files.items():
            for output in group:
                _write(output, labels[compartment], source, run.budget.workers, check)
                advance()


def _write(output: Location, labels: Labels, source: NetworkInput, workers: int, check: Callable[[], None]) -> None:
    """Write a mask, bands being finished in threads ahead of the writer, and ``check`` called before it is whole."""
    reach = labels.reach if isinstance(labels, (GrownLabels, SelectedLabels)) else 0
    rows = max(BAND // labels.shape[1], 2 * reach, 1)  # what is read around a band does not outweigh it

    def checked() -> Iterator[NDArray[np.int32]]:
        yield from in_order(labels.read, blocks(labels.shape, (rows, labels.shape[1])), workers)
        check()

    bands = checked()
    size = source.pixel_size.size
    if str(output).endswith(".zarr"):
        from cellscale.images.zarr import write_label_zarr  # loads zarr, which TIFF masks do not need

        write_label_zarr(output, bands, labels.shape, size)
    else:
        write_mask(output, bands, labels.shape, size, workers=workers)
