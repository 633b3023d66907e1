"""Stacks of Micro-Manager, each of whose files lists its own planes.

tifffile joins the files of all positions to one image, and passes the OME-XML over, which has the names of the
channels. Here a file that holds all channels of one position is an image by itself. Format: micro-manager.org, "File
Formats" (an index map and a JSON summary in the file's header).
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from cellscale.errors import ImageError
from cellscale.images.info import PixelSize

__all__ = ["MicroManagerStack", "micro_manager_stack"]

_AXES = "PTZC"
_COLUMNS = {"C": 0, "Z": 1, "T": 2, "P": 3}
"""Of the index map; the last column is where a plane's tags are in the file."""


class MicroManagerStack:
    """Planes of one file, as far as a tifffile series is asked."""

    kind = "mmstack"
    is_multifile = False
    dataoffset = None
    name = ""

    def __init__(self, pages: list[Any], sizes: Mapping[str, int], summary: Mapping[str, Any]) -> None:
        self._pages = pages
        self._summary = summary
        self.keyframe = pages[0].keyframe
        self.dtype: np.dtype[Any] = self.keyframe.dtype
        self.axes = _AXES + self.keyframe.axes
        self.shape = (*(sizes[axis] for axis in _AXES), *self.keyframe.shape)
        self.levels = [self]

    def __len__(self) -> int:
        return len(self._pages)

    def __getitem__(self, number: int) -> Any:
        return self._pages[number]

    @property
    def channel_names(self) -> list[str | None]:
        """Names of all channels; empty where the summary has not as many."""
        names = self._summary.get("ChNames")
        if not isinstance(names, list) or len(names) != self.shape[_AXES.index("C")]:
            return []
        return [name if isinstance(name, str) else None for name in names]

    @property
    def pixel_size(self) -> PixelSize | None:
        """µm/px, as the summary or, since Micro-Manager 2, each plane says it."""
        plane = self.keyframe.tags.valueof(51123)
        for facts, key in ((self._summary, "PixelSize_um"), (plane, "PixelSizeUm"), (plane, "PixelSize_um")):
            found = facts.get(key) if isinstance(facts, Mapping) else None
            if isinstance(found, (int, float)) and math.isfinite(found) and found > 0:
                return PixelSize(float(found), float(found))
        return None


def micro_manager_stack(tiff: Any, name: str, *, described: bool) -> MicroManagerStack | None:
    """Return the planes that a file of Micro-Manager lists, in the order of its channels.

    Parameters
    ----------
    tiff
        The open tifffile.TiffFile.
    name
        For messages.
    described
        Whether OME-XML describes images. It is left to that where the file is not one position of one plane a
        channel.

    Returns
    -------
    None where the file is none of Micro-Manager's, or is read better in another way.

    Raises
    ------
    ImageError
        Planes are missing.
    """
    if not tiff.is_micromanager:
        return None
    facts = tifffile.read_micromanager_metadata(tiff.filehandle, {"Summary", "IndexMap"})
    index, summary = facts.get("IndexMap"), facts.get("Summary")
    if index is None or not isinstance(summary, dict) or not len(index):
        return None
    sizes = {axis: len(np.unique(index[:, column])) for axis, column in _COLUMNS.items()}
    declared = summary.get("Channels")
    channels = declared if isinstance(declared, int) and declared > 0 else sizes["C"]
    whole = len(index) == math.prod(sizes.values()) and sizes["C"] == channels
    if described and not (whole and len(index) == channels):
        return None
    if not whole:
        raise ImageError(
            f"{name}: the Micro-Manager stack is not complete: {channels} channels declared, and {len(index)} planes "
            f"of {sizes['C']} channels, {sizes['Z']} focal planes, {sizes['T']} time points and {sizes['P']} "
            "positions found: copy it again, or save what is there as an OME-TIFF"
        )
    return MicroManagerStack(_pages(tiff, index, name), sizes, summary)


def _pages(tiff: Any, index: NDArray[Any], name: str) -> list[Any]:
    tiff.pages.cache, tiff.pages.useframes = True, False
    found = {page.offset: page for page in tiff.pages}
    order = np.lexsort([index[:, _COLUMNS[axis]] for axis in reversed(_AXES)])
    offsets = index[order, 4].tolist()
    missing = [offset for offset in offsets if offset not in found]
    if missing:
        raise ImageError(
            f"{name}: {len(missing)} of {len(offsets)} planes that the Micro-Manager stack lists are not there: the "
            "file is damaged, or was not written to its end; copy it again"
        )
    return [found[offset] for offset in offsets]
