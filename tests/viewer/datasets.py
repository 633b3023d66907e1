"""Datasets to look at: simulated tissue with measured true masks, and a large image of repeated cells."""

import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pa_parquet
import tifffile

from cellscale.images.masks.mask_writer import write_mask
from cellscale.workspace.layout import mask_name, report_name
from tests.cli.runs import run

__all__ = ["PATCH", "large_dataset", "measured_dataset", "patch"]

PATCH = 1024
"""Rows and columns that the large image repeats."""

_STEP = 32
"""Distance between cells of the large image."""


def measured_dataset(root: Path, *, images=2, size=640) -> Path:
    """Simulate images, and measure their true cells."""
    run("simulate", root, "--images", images, "--size", size, "--channels", "DAPI,Membrane,CD3", "--truth")
    (root / "SEGMASK").mkdir()
    for mask in (root / "TRUTH").glob("*Mask.tiff"):
        shutil.copy(mask, root / "SEGMASK" / mask.name)
    assert run("measure", "--no_report", "workspace", root).exit_code == 0
    return root


def patch():
    """Return (2, PATCH, PATCH) uint16 intensities of a hexagonal lattice of cells, and their labels and nuclei's."""
    rows, columns = np.mgrid[0:PATCH, 0:PATCH]
    across = PATCH // _STEP
    row, column = rows // _STEP, columns // _STEP
    distance = np.hypot(rows % _STEP - _STEP / 2 + 0.5, columns % _STEP - _STEP / 2 + 0.5)
    number = row * across + column + 1
    cells = np.where(distance < 13 - number % 3, number, 0).astype(np.int32)
    nuclei = np.where(distance < 6, number, 0).astype(np.int32)
    bright = 8000 + 300 * (number % 97)
    pixels = np.stack([bright * (nuclei > 0), 6000 * ((cells > 0) & (nuclei == 0))]) + 100
    return pixels.astype(np.uint16), cells, nuclei


def large_dataset(root: Path, *, size=16384, pyramid=True, name="large") -> Path:
    """Write an OME-TIFF of ``size`` pixels a side that repeats the patch, with masks and a table.

    The cell in patch (i, j) with the label n in the patch has the label n plus the cells of all patches before.
    """
    pixels, cells, nuclei = patch()
    for folder in ("OMETIFF", "SEGMASK", "REPORTS"):
        (root / folder).mkdir(parents=True)
    _write_image(root / "OMETIFF" / f"{name}.ome.tiff", pixels, size, pyramid=pyramid)
    repeats, count = size // PATCH, int(cells.max())
    for labels, compartment in ((cells, "whole-cell"), (nuclei, "nuclear")):
        bands = (_band(labels, count, row * repeats, repeats) for row in range(repeats))
        write_mask(root / "SEGMASK" / mask_name(name, compartment), bands, (size, size), workers=2)
    _write_table(root / "REPORTS" / report_name(name, ".parquet"), cells, repeats)
    return root


def _write_image(path, pixels, size, *, pyramid):
    metadata = {"axes": "CYX", "Channel": {"Name": ["DAPI", "Membrane"]}, "PhysicalSizeX": 0.5, "PhysicalSizeY": 0.5}
    settings = {"tile": (512, 512), "compression": "zstd", "photometric": "minisblack", "dtype": np.uint16}
    levels = 5 if pyramid else 0
    with tifffile.TiffWriter(path, bigtiff=True, ome=True) as tiff:
        tiff.write(_tiles(pixels, size), shape=(2, size, size), subifds=levels, metadata=metadata, **settings)
        for level in range(1, levels + 1):
            side = PATCH >> level
            smaller = pixels.reshape(2, side, 2**level, side, 2**level).mean(axis=(2, 4)).astype(np.uint16)
            tiff.write(
                _tiles(smaller, size >> level), shape=(2, size >> level, size >> level), subfiletype=1, **settings
            )


def _tiles(pixels, size):
    """Yield the tiles of a plane that repeats another."""
    side = pixels.shape[1]
    repeated = np.tile(pixels, (1, max(1, 1024 // side), max(1, 1024 // side)))
    for plane in repeated:
        for top in range(0, size, 512):
            for left in range(0, size, 512):
                yield plane[top % 1024 : top % 1024 + 512, left % 1024 : left % 1024 + 512]


def _band(labels, count, first, repeats):
    """Return the rows of the mask that a row of patches covers."""
    band = np.tile(labels, (1, repeats))
    offsets = np.repeat(np.arange(first, first + repeats, dtype=np.int32) * count, PATCH)
    return np.add(band, offsets, out=band, where=band > 0)


def _write_table(path, cells, repeats):
    count = int(cells.max())
    total = count * repeats**2
    labels = np.arange(1, total + 1)
    in_patch, patches = (labels - 1) % count, (labels - 1) // count
    across = PATCH // _STEP
    x = (in_patch % across + 0.5) * _STEP + patches % repeats * PATCH
    y = (in_patch // across + 0.5) * _STEP + patches // repeats * PATCH
    areas = np.bincount(cells.ravel(), minlength=count + 1)[1:][in_patch]
    columns = {
        "Image": pa.repeat(pa.scalar("large.ome.tiff"), total),
        "Object ID": pa.array([f"{label:08d}-0000-4000-8000-000000000000" for label in labels.tolist()]),
        "Object type": pa.repeat(pa.scalar("Cell"), total),
        "Cell label": pa.array(labels.astype(np.uint32)),
        "Nucleus label": pa.array(labels.astype(np.uint32)),
        "Centroid X µm": pa.array(x * 0.5),
        "Centroid Y µm": pa.array(y * 0.5),
        "Cell: Area µm^2": pa.array((areas * 0.25).astype(np.float32)),
        "Nucleus: DAPI: Mean": pa.array((8000 + 300 * ((in_patch + 1) % 97)).astype(np.float32)),
    }
    pa_parquet.write_table(pa.table(columns), path, row_group_size=65_536)
