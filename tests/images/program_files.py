"""What programs in an environment of their own write: `tests/images/writers/write.py` has how."""

import numpy as np

from tests.images.formats import AS_CHANNELS, CHANNEL, NONE, PLANES, SIZE, Case
from tests.images.ome_files import NAMES

__all__ = ["PROGRAM_CASES"]

LABELS, SCALE, TAGS = "`omero` labels", "`scale` and `unit`", "resolution tags below 5 µm"
PAGES = "plain pages"
NUMBERED = "read; channels are numbered"
PAGES_READ = "read; pages are channels"
ORDER = "read in the order of pages, with a warning"


def _case(file, program, layout, names_from, size_from, result, **more):
    return Case(program, layout, names_from, size_from, result, file=file, **more)


def _ome_zarr(file, program, layout):
    return _case(file, program, layout, LABELS, SCALE, "read", names=NAMES, mpp=0.5)


def _of_type(dtype):
    return {"pixels": PLANES.astype(dtype)}


PROGRAM_CASES = (
    _ome_zarr("ngff-zarr 0.4.ome.zarr", "ngff-zarr", "OME-Zarr 0.4"),
    _ome_zarr("ngff-zarr 0.5.ome.zarr", "ngff-zarr", "OME-Zarr 0.5"),
    _ome_zarr("ngff-zarr 0.5 sharded.ome.zarr", "ngff-zarr", "OME-Zarr 0.5, in shards"),
    _ome_zarr("ngff-zarr 0.6.ome.zarr", "ngff-zarr", "OME-Zarr 0.6"),
    _case("ngff-zarr bare.ome.zarr", "ngff-zarr", "OME-Zarr 0.5 without `omero`", NONE, SCALE, NUMBERED, mpp=0.5),
    _ome_zarr("ome-zarr 0.4.ome.zarr", "ome-zarr", "OME-Zarr 0.4"),
    _ome_zarr("ome-zarr 0.5.ome.zarr", "ome-zarr", "OME-Zarr 0.5"),
    _ome_zarr("ome-zarr 0.6.ome.zarr", "ome-zarr", "OME-Zarr 0.6"),
    _case("ome-zarr bare.ome.zarr", "ome-zarr", "OME-Zarr 0.5 without names and units", LABELS, NONE,
          "read; channels are called Channel 0 and so on, as in the file",
          names=("Channel 0", "Channel 1", "Channel 2")),
    _case("ome-zarr function.ome.zarr", "ome-zarr", "OME-Zarr 0.5, by `write_image`", NONE, NONE, NUMBERED),
    _ome_zarr("bioio-ome-zarr 0.4.ome.zarr", "bioio-ome-zarr", "OME-Zarr 0.4"),
    _ome_zarr("bioio-ome-zarr 0.5.ome.zarr", "bioio-ome-zarr", "OME-Zarr 0.5"),
    _case("bioio-ome-tiff.ome.tiff", "bioio-ome-tiff", "OME-TIFF, deflate", CHANNEL, SIZE, "read", names=NAMES,
          mpp=0.5),
    _case("bioio-ome-tiff five axes.ome.tiff", "bioio-ome-tiff", "OME-TIFF of five axes (TCZYX)", CHANNEL, SIZE,
          "read", names=NAMES, mpp=0.5),
    _case("pyvips bands.tif", "pyvips-binary", "samples of a pixel, called RGB, tiles", NONE, TAGS, AS_CHANNELS,
          mpp=0.5, told="RGB"),
    _case("pyvips bands pyramid.tif", "pyvips-binary", "the same, with a pyramid of pages, BigTIFF", NONE, TAGS,
          AS_CHANNELS, mpp=0.5, told="RGB"),
    _case("pyvips pages.tif", "pyvips-binary", f"{PAGES}, LZW", NONE, NONE, PAGES_READ),
    _case("pyvips ome.ome.tif", "pyvips-binary", "OME-XML of one's own without TiffData, pyramid in SubIFDs",
          CHANNEL, SIZE, ORDER, names=NAMES, mpp=0.5, told="order"),
    _case("simpleitk pages.tif", "simpleitk", f"{PAGES}, spacing in millimetres", NONE, TAGS, PAGES_READ, mpp=0.5),
    _case("simpleitk floats.tif", "simpleitk", f"{PAGES}, floats, PackBits", NONE, TAGS, PAGES_READ, mpp=0.5,
          **_of_type(np.float32)),
    _case("simpleitk millimetres.tif", "simpleitk", f"{PAGES}, spacing of 0.5 millimetres", NONE, NONE,
          "read; µm/px are assumed"),
    _case("simpleitk vector.tif", "simpleitk", "samples of a pixel, called RGB", NONE, TAGS, AS_CHANNELS, mpp=0.5,
          told="RGB"),
    _case("opencv pages.tif", "opencv-python-headless", f"{PAGES}, LZW", NONE, NONE, PAGES_READ),
    _case("opencv pixel.tif", "opencv-python-headless", "samples of a pixel, called RGB (OpenCV turns their order)",
          NONE, NONE, AS_CHANNELS, told="RGB"),
    _case("pillow pages.tif", "pillow", PAGES, NONE, NONE, PAGES_READ),
    _case("pillow floats.tif", "pillow", f"{PAGES}, floats, LZW", NONE, NONE, PAGES_READ, **_of_type(np.float32)),
    _case("pillow integers.tif", "pillow", f"{PAGES}, int32", NONE, TAGS, PAGES_READ, mpp=0.5,
          **_of_type(np.int32)),
)  # fmt: skip
