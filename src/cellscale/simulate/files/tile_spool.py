"""Encoded tiles and strips, kept in a nameless file until their turn comes in a TIFF."""

from array import array
from collections.abc import Hashable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import imagecodecs
from numpy.typing import NDArray

from cellscale.storage.scratch import scratch_file

__all__ = ["Spool", "deflated"]


class Spool:
    """A store of deflated pieces of images, written in any order and read in any other.

    Parameters
    ----------
    folder
        Where the scratch file is made; it has no name there and vanishes with the process.
    """

    def __init__(self, folder: Path) -> None:
        self._file = scratch_file(folder, ())
        self._places: dict[Hashable, array[int]] = {}
        self._end = 0

    def __enter__(self) -> "Spool":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._file.close()

    def put(self, name: Hashable, pieces: Sequence[bytes]) -> None:
        """Keep the pieces that belong to a name."""
        self._file.seek(self._end)
        bounds = array("Q", [self._end])
        for piece in pieces:
            self._file.write(piece)
            bounds.append(bounds[-1] + len(piece))
        self._places[name] = bounds
        self._end = bounds[-1]

    def get(self, name: Hashable, index: int) -> bytes:
        """Return one of the pieces of a name."""
        start, end = self._places[name][index : index + 2]
        self._file.seek(start)
        return self._file.read(end - start)


def deflated(pixels: NDArray[Any]) -> bytes:
    """Return pixels, in rows and little endian, as a zlib stream: what TIFF calls Adobe deflate."""
    little = pixels.astype(pixels.dtype.newbyteorder("<"), copy=False)
    return bytes(imagecodecs.deflate_encode(little.tobytes(), level=1, raw=False))
