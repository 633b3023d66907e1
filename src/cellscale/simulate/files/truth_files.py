"""A simulated image's truth: two masks and a table of cells."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from cellscale.images.info import PixelSize
from cellscale.images.masks import write_mask
from cellscale.regions import Region, blocks
from cellscale.simulate.cell_placement import PATCH
from cellscale.simulate.kinds import Kind
from cellscale.simulate.tissue_model import PIXEL_SIZE, TissueModel
from cellscale.storage.atomic import atomic_write

__all__ = ["truth_paths", "write_truth"]

_PART = 2048
_HEADER = "Label\tType\tCentroid X µm\tCentroid Y µm\tCell Area µm²\tNucleus Area µm²\n"


def truth_paths(folder: Path, name: str) -> tuple[Path, Path, Path]:
    """Return the paths of an image's whole-cell mask, nucleus mask and table of cells."""
    return folder / f"{name}_WholeCellMask.tiff", folder / f"{name}_NucleusMask.tiff", folder / f"{name}_Cells.tsv"


def write_truth(
    folder: Path, name: str, model: TissueModel, *, advance: Callable[[int], None] = lambda _: None
) -> None:
    """Write the masks and the table of an image, band after band.

    Parameters
    ----------
    folder
        Where; it must exist.
    name
        The image's name.
    model
        The image.
    advance
        Told the number of pixels that were made; every pixel is made once for each mask.

    Raises
    ------
    StorageError
        If a file cannot be written.
    """
    whole_path, nucleus_path, cells_path = truth_paths(folder, name)
    size = PixelSize(PIXEL_SIZE, PIXEL_SIZE)
    with atomic_write(cells_path) as table:
        write_mask(whole_path, _tabled(model, table, advance), model.shape, size)
    write_mask(nucleus_path, (nucleus for _, _, nucleus in _bands(model, advance)), model.shape, size)


def _bands(
    model: TissueModel, advance: Callable[[int], None]
) -> Iterator[tuple[Region, NDArray[np.int32], NDArray[np.int32]]]:
    """Yield the truth of one row of patches after the other."""
    for band in blocks(model.shape, (PATCH, model.shape[1])):
        whole, nucleus = np.empty(band.shape, np.int32), np.empty(band.shape, np.int32)
        for part in _parts(band):
            whole[part.within(band)], nucleus[part.within(band)] = model.labels(part)
        yield band, whole, nucleus
        advance(band.size)


def _parts(band: Region) -> Iterator[Region]:
    """Cut a band across, so that what is counted in passing takes little memory in wide images too."""
    for left in range(band.left, band.right, _PART):
        yield Region(band.top, left, band.bottom, min(left + _PART, band.right))


def _tabled(model: TissueModel, table: BinaryIO, advance: Callable[[int], None]) -> Iterator[NDArray[np.int32]]:
    """Yield bands of whole cells and write the cells that end in them to the table."""
    tally = _Tally(model)
    table.write(_HEADER.encode())
    for band, whole, nucleus in _bands(model, advance):
        for part in _parts(band):
            tally.add(part, whole[part.within(band)], nucleus[part.within(band)])
        table.writelines(line.encode() for line in tally.finished())
        yield whole
    table.writelines(line.encode() for line in tally.finished(everything=True))


class _Tally:
    """Sums over the pixels of cells, kept until the last band that can hold a cell's pixels is done.

    A cell reaches less than a patch beyond its own row of patches, and a band is a row of patches.
    """

    def __init__(self, model: TissueModel) -> None:
        self._model = model
        self._next = -1
        self._sums: dict[int, NDArray[np.float64]] = {}
        self._band = -1

    def add(self, part: Region, whole: NDArray[np.int32], nucleus: NDArray[np.int32]) -> None:
        """Add the pixels of a part of a band."""
        self._band = part.top // PATCH
        numbering = self._model.numbering
        for row in (self._band - 1, self._band, self._band + 1):
            first, end = numbering.first(row, -1), numbering.first(row + 1, -1)
            sums = self._sums.setdefault(row, np.zeros((4, end - first)))
            rows, columns = np.nonzero((whole >= first) & (whole < end))
            index = whole[rows, columns] - first
            in_nucleus = (nucleus[rows, columns] > 0).astype(np.float64)
            weights = None, in_nucleus, rows + part.top, columns + part.left
            sums += [np.bincount(index, weight, minlength=end - first) for weight in weights]

    def finished(self, *, everything: bool = False) -> Iterator[str]:
        """Yield the lines of the cells that no later band can hold, in the order of their labels."""
        end = self._model.numbering.rows if everything else self._band
        for row in range(self._next, end):
            yield from self._lines(row, self._sums.pop(row))
        self._next = max(self._next, end)

    def _lines(self, row: int, sums: NDArray[np.float64]) -> Iterator[str]:
        area, nucleus, y, x = sums
        kinds = self._kinds(row)
        first = self._model.numbering.first(row, -1)
        for i in range(area.size):
            place = f"{(x[i] / area[i] + 0.5) * PIXEL_SIZE:.3f}\t{(y[i] / area[i] + 0.5) * PIXEL_SIZE:.3f}"
            areas = f"{area[i] * PIXEL_SIZE**2:.2f}\t{nucleus[i] * PIXEL_SIZE**2:.2f}"
            yield f"{first + i}\t{Kind(kinds[i]).name.lower()}\t{place}\t{areas}\n"

    def _kinds(self, row: int) -> NDArray[np.int64]:
        """Return the kinds of a row's cells that have a label, in the order of the labels."""
        numbering, settlement = self._model.numbering, self._model.settlement
        parts = [
            settlement.patch(row, column)["kind"][numbering.of_patch(row, column) > 0]
            for column in range(-1, numbering.columns)
        ]
        return np.concatenate(parts)
