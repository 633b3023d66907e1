"""What programs write: each case writes a file as its program does, and says what is to be read from it.

The table of docs/formats.md is made of these cases: ``python -m tests.images.formats_page`` writes it.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tifffile

from tests.images.channels.test_page_names import QPI, qpi
from tests.images.channels.test_page_names import write as write_pages
from tests.images.ome_files import NAMES, ome_xml, planes, write_ome
from tests.images.tiff.test_micro_manager import ome, write_stack
from tests.images.zarr.test_ome_zarr import written

__all__ = ["AS_CHANNELS", "CASES", "CHANNEL", "NONE", "PLANES", "SIZE", "Case"]

PLANES = planes()
UNNAMED = ("Channel 1", "Channel 2", "Channel 3")


@dataclass(frozen=True)
class Case:
    """One way to store three channels of 60 x 80 pixels."""

    program: str
    layout: str
    names_from: str
    size_from: str
    result: str
    write: Callable[[Path], object] = None
    suffix: str = ".tif"
    names: tuple[str, ...] | None = UNNAMED
    """None where the file is refused."""
    mpp: float | None = None
    told: str = ""
    """Words of the warning, or of the refusal."""
    pixels: np.ndarray = None
    file: str = ""
    """Name of the file that the program wrote, where that ran in an environment of its own."""

    is_changed: bool = False
    """What is read are not the numbers that are stored: they are inverted, or widened."""

    @property
    def planes(self):
        """The pixels that are to be read."""
        return PLANES if self.pixels is None else self.pixels


def _ome(path, **options):
    metadata = {"axes": "CYX", "Channel": {"Name": list(NAMES)}, "PhysicalSizeX": 0.5, "PhysicalSizeY": 0.5}
    tifffile.imwrite(path, PLANES, ome=True, metadata=metadata, photometric="minisblack", **options)


def _pyramid(path):
    metadata = {"axes": "CYX", "Channel": {"Name": list(NAMES)}, "PhysicalSizeX": 0.5, "PhysicalSizeY": 0.5}
    with tifffile.TiffWriter(path, ome=True) as tiff:
        options = {"photometric": "minisblack", "tile": (32, 32)}
        tiff.write(PLANES, subifds=1, metadata=metadata, **options)
        tiff.write(PLANES[:, ::2, ::2], subfiletype=1, **options)


def _imagej(path, **options):
    metadata = {"axes": "CYX", "unit": "um", "Labels": list(NAMES)}
    tifffile.imwrite(path, PLANES, imagej=True, resolution=(2, 2), metadata=metadata, **options)


def _pages(path, **options):
    with tifffile.TiffWriter(path) as tiff:
        for plane in PLANES:
            tiff.write(plane, metadata=None, contiguous=False, **options)


def _macro(path):
    with tifffile.TiffWriter(path) as tiff:
        tiff.write(np.zeros((400, 500, 3), np.uint8), photometric="rgb", metadata=None)
        for plane in PLANES:
            tiff.write(plane, photometric="minisblack", metadata=None)


def _imageio(path):
    import imageio.v3 as imageio

    imageio.imwrite(path, PLANES, plugin="tifffile", photometric="rgb")


def _skimage(path):
    from skimage import io

    io.imsave(path, PLANES, check_contrast=False)


def _pillow(path):
    from PIL import Image

    first, *others = (Image.fromarray(plane) for plane in PLANES)
    first.save(path, save_all=True, append_images=others, compression="tiff_deflate")


def _samples(path, photometric):
    stored = np.moveaxis(PLANES, 0, -1)
    tifffile.imwrite(path, stored, photometric=photometric, planarconfig="contig", metadata=None)


def _zarr(version):
    def write(path):
        axes = [1, 500, 500]
        written(path, PLANES, "cyx", version=version, scale=axes)

    return write


def _qptiff(path):
    described = [qpi("a filter", f"<Biomarker>{name}</Biomarker>") for name in NAMES]
    write_pages(path, PLANES, described, software=QPI, resolution=(20_000, 20_000), resolutionunit=3)


def _mibi(path):
    facts = {"image.type": "SIMS", "channel.mass": 89, "shape": [60, 80]}
    described = [json.dumps(facts | {"channel.target": name}) for name in NAMES]
    write_pages(
        path, PLANES, described, software="IonpathMIBIv1.0", names=[f"{name} (89)" for name in NAMES],
        resolution=(20_000, 20_000), resolutionunit=3, compression="zlib",
    )  # fmt: skip


def _micro_manager(path):
    write_stack(path, PLANES, [(channel, 0, 0, 0) for channel in range(3)], description=ome(size=""))


NONE = "nothing"
CHANNEL, SIZE = "`Channel Name`", "`PhysicalSizeX`"
SHAPED = "its own description (shaped)"
AS_CHANNELS = "read as channels, with a warning"
CASES = (
    Case("tifffile", "OME-TIFF, a page a channel", CHANNEL, SIZE, "read", _ome, ".ome.tif", NAMES, 0.5),
    Case("tifffile", "OME-TIFF, pyramid in SubIFDs, tiles", CHANNEL, SIZE, "read, levels as well", _pyramid,
         ".ome.tif", NAMES, 0.5),
    Case("tifffile", "OME-TIFF, BigTIFF, deflate", CHANNEL, SIZE, "read",
         lambda path: _ome(path, bigtiff=True, compression="zlib"), ".ome.tif", NAMES, 0.5),
    Case("tifffile", "ImageJ hyperstack", "labels of the slices", "resolution tags and `unit`", "read",
         _imagej, ".tif", NAMES, 0.5),
    Case("tifffile", SHAPED, NONE, NONE, "read; channels are numbered",
         lambda path: tifffile.imwrite(path, PLANES, photometric="minisblack")),
    Case("tifffile", f"{SHAPED}, one page for all planes", NONE, NONE, "read; channels are numbered",
         lambda path: tifffile.imwrite(path, PLANES, photometric="minisblack", truncate=True)),
    Case("tifffile", "plain pages", NONE, "resolution tags below 5 µm", "read; pages are channels",
         lambda path: _pages(path, photometric="minisblack", resolution=(20_000, 20_000), resolutionunit=3), mpp=0.5),
    Case("tifffile", "plain pages, 72 dots an inch", NONE, NONE, "read; µm/px are assumed",
         lambda path: _pages(path, photometric="minisblack", resolution=(72, 72), resolutionunit=2)),
    Case("tifffile", "three planes called RGB (planar)", NONE, NONE, AS_CHANNELS,
         lambda path: tifffile.imwrite(path, PLANES, photometric="rgb", metadata=None), told="RGB"),
    Case("tifffile", "samples of a pixel called RGB, 16 bits", NONE, NONE, AS_CHANNELS,
         lambda path: _samples(path, "rgb"), told="RGB"),
    Case("tifffile", "RGB of 8 bits", NONE, NONE, "refused: a colour picture",
         lambda path: tifffile.imwrite(path, np.zeros((60, 80, 3), np.uint8), photometric="rgb"), names=None,
         told="colour image"),
    Case("tifffile", "0 is white (WhiteIsZero)", NONE, NONE, "read inverted, with a warning",
         lambda path: _pages(path, photometric="miniswhite"), told="WhiteIsZero", pixels=65_535 - PLANES,
         is_changed=True),
    Case("tifffile", "half floats", NONE, NONE, "read as float32",
         lambda path: tifffile.imwrite(path, PLANES.astype("f2"), photometric="minisblack", metadata=None),
         pixels=PLANES.astype("f2").astype("f4"), is_changed=True),
    Case("tifffile", "a larger colour picture before the scan", NONE, NONE, "the scan is read, with a warning",
         _macro, told="colour picture"),
    Case("imageio, by tifffile", f"{SHAPED}, called RGB", NONE, NONE, AS_CHANNELS, _imageio, told="RGB"),
    Case("scikit-image", SHAPED, NONE, NONE, "read; channels are numbered", _skimage),
    Case("Pillow", "plain pages, deflate", NONE, NONE, "read; pages are channels", _pillow),
    Case("OME-XML by hand", "no TiffData", CHANNEL, SIZE, "read in the order of pages, with a warning",
         lambda path: write_ome(path, ome_xml("")), ".ome.tif", NAMES, 0.5, "order"),
    Case("OME-XML by hand", "unit `um`", CHANNEL, SIZE,
         "read; a warning that QuPath does not, `repair-metadata` corrects it",
         lambda path: write_ome(path, ome_xml(size='PhysicalSizeX="0.5" PhysicalSizeXUnit="um" PhysicalSizeY="0.5"')),
         ".ome.tif", NAMES, 0.5, "repair-metadata"),
    Case("OME-XML by hand", "one page of three", "-", "-", "refused: incomplete, with the channels that are missing",
         lambda path: write_ome(path, ome_xml(), PLANES[:1]), ".ome.tif", None, None, "missing: CD3, PanCK"),
    Case("Micro-Manager 2.0.0 (micro-manager.org, File Formats)", "OME-TIFF with an index map and a summary",
         "`Channel Name`, or `ChNames`", "`PhysicalSizeX`, or `PixelSize_um`", "each file with all channels is read",
         _micro_manager, "_MMStack_Pos0.ome.tif", NAMES, 0.65),
    Case("PerkinElmer, Akoya (as Bio-Formats' VectraReader.java, 0428bf40)", "QPTIFF, inForm's component data",
         "`Biomarker`, or `Name`", "resolution tags below 5 µm", "read", _qptiff, ".qptiff", NAMES, 0.5),
    Case("Ionpath MIBI v1.0 (mibilib, mibidata/tiff.py, 04424c98)", "pages with JSON and PageName",
         "`channel.target`, or PageName", "resolution tags below 5 µm", "read", _mibi, ".tiff", NAMES, 0.5),
    Case("zarr", "OME-Zarr 0.4", "`omero` labels", "`scale` and `unit`", "read", _zarr("0.4"), ".ome.zarr",
         (" DAPI ", "µ", "Channel 3"), 0.5),
    Case("zarr", "OME-Zarr 0.5", "`omero` labels", "`scale` and `unit`", "read", _zarr("0.5"), ".ome.zarr",
         (" DAPI ", "µ", "Channel 3"), 0.5),
)  # fmt: skip
