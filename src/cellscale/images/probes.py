"""Small healthy files, written and read: where that fails, a file that could not be read is not to blame."""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from cellscale.regions import Region

__all__ = ["npz_probe", "tiff_probe", "zarr_probe"]

_SIDE = 32
_WRITABLE = frozenset({1, 5, 8, 32773, 50000})
"""TIFF's numbers of compressions that tifffile can write, too: none, LZW, deflate, PackBits, Zstandard."""
_DEFLATE = 8


def tiff_probe(compression: int = _DEFLATE) -> None:
    """Write an OME-TIFF with a pyramid, and read it.

    Parameters
    ----------
    compression
        TIFF's number of the compression, where it is one that can be written; else deflate is taken.

    Raises
    ------
    Exception
        That cannot be done here.
    """
    import tifffile

    from cellscale.images.tiff.tiff_image import TiffImage

    pixels = _pixels()
    how = {"tile": (16, 16), "compression": compression if compression in _WRITABLE else _DEFLATE}
    with tempfile.TemporaryDirectory(prefix="cellscale-") as folder:
        path = Path(folder) / "healthy.ome.tiff"
        with tifffile.TiffWriter(path, ome=True) as writer:
            names = {"axes": "CYX", "Channel": {"Name": ["a", "b"]}}
            writer.write(pixels, subifds=1, photometric="minisblack", metadata=names, **how)
            writer.write(pixels[:, ::2, ::2], subfiletype=1, photometric="minisblack", **how)
        with TiffImage(path) as image:
            _compare(image.read((0, 1), Region(0, 0, _SIDE, _SIDE)), pixels)
            _compare(image.read((0, 1), Region(0, 0, _SIDE // 2, _SIDE // 2), 1), pixels[:, ::2, ::2])


def zarr_probe() -> None:
    """Write an OME-Zarr, and read it.

    Raises
    ------
    Exception
        That cannot be done here.
    """
    from cellscale.images.zarr.label_zarr import write_label_zarr
    from cellscale.images.zarr.ome_zarr import OmeZarrImage

    labels = _pixels()[0].astype(np.int32)
    with tempfile.TemporaryDirectory(prefix="cellscale-") as folder:
        path = Path(folder) / "healthy.ome.zarr"
        write_label_zarr(path, [labels], labels.shape)
        _compare(OmeZarrImage(path).read((0,), Region(0, 0, _SIDE, _SIDE))[0], labels)


def npz_probe() -> None:
    """Write an NPZ file, and read it.

    Raises
    ------
    Exception
        That cannot be done here.
    """
    from cellscale.images.npz import ARRAY, open_npz

    pixels = np.moveaxis(_pixels(), 0, 2)
    with tempfile.TemporaryDirectory(prefix="cellscale-") as folder:
        path = Path(folder) / "healthy.npz"
        named: dict[str, Any] = {ARRAY: pixels}
        np.savez_compressed(path, **named)
        image = open_npz(path, scratch=Path(folder))
        try:
            _compare(image.read((0, 1), Region(0, 0, _SIDE, _SIDE)), _pixels())
        finally:
            image.close()


def _pixels() -> "np.ndarray[tuple[int, int, int], np.dtype[np.uint16]]":
    return np.arange(2 * _SIDE * _SIDE, dtype=np.uint16).reshape(2, _SIDE, _SIDE)


def _compare(found: object, expected: object) -> None:
    if not np.array_equal(np.asarray(found), np.asarray(expected)):
        raise ValueError("other pixels were read than were written")
