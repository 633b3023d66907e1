"""Labelling an image held in memory, by the same blocks that label one of any size."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from cellscale.label.block import LabelledBlock, label_block
from cellscale.label.mosaic import Mosaic
from cellscale.label.numbering import finish_block, resolve_objects
from cellscale.label.objects import merge_objects
from cellscale.label.parameters import Parameters
from cellscale.regions import Region, blocks

__all__ = ["label_image"]

A = TypeVar("A")
B = TypeVar("B")


def label_image(
    maxima: NDArray[np.float32],
    interior: NDArray[np.float32],
    parameters: Parameters,
    *,
    block_size: int = 1024,
    halo: int = 32,
    workers: int = 1,
) -> NDArray[np.int32]:
    """Label one compartment from the network's two maps.

    Parameters
    ----------
    maxima, interior
        The maps, float32, (rows, columns).
    parameters
        How to label.
    block_size
        Side of a block in pixels. Does not change the result.
    halo
        Halo of a block in pixels, to begin with. Does not change the result.
    workers
        Threads. Does not change the result.

    Returns
    -------
    Labels 1 to n, int32, (rows, columns); 0 for background.

    Raises
    ------
    ImageError
        If a map holds values that are not finite.
    """
    shape = (maxima.shape[0], maxima.shape[1])

    def read_maps(region: Region) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        return maxima[region.slices], interior[region.slices]

    def label(core: Region) -> LabelledBlock:
        return label_block(read_maps, core, shape, parameters, halo=halo)

    size = (block_size, block_size)
    labelled = _mapped(label, blocks(shape, size), workers)
    mosaic = Mosaic(shape, size, labelled.__getitem__)
    objects = merge_objects(block.objects for block in labelled)
    resolution = resolve_objects([objects], mosaic.identities, shape, parameters)
    labels = np.empty(shape, np.int32)
    for block in labelled:
        labels[block.core.slices] = finish_block(block, resolution)
    return labels


def _mapped(function: Callable[[A], B], items: Iterable[A], workers: int) -> list[B]:
    if workers == 1:
        return [function(item) for item in items]
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(function, items))
