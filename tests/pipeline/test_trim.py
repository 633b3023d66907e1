"""Memory stays bounded, whatever the size of the image: this is a promise, so it is asserted."""

import os

import numpy as np
import pytest
import tifffile

from tests.cli.peaks import peak_memory
from tests.pipeline.spots import spots

GIGABYTE = 10**9


def write_repeated(path, planes, times):
    """Write an OME-TIFF of ``planes`` repeated along both axes, tile by tile."""
    count, height, width = planes.shape
    shape = (count, height * times, width * times)
    tiles = (plane for plane in planes for _ in range(times * times))
    metadata = {"axes": "CYX", "PhysicalSizeX": 0.5, "PhysicalSizeXUnit": "µm", "PhysicalSizeY": 0.5}
    metadata |= {"PhysicalSizeYUnit": "µm", "Channel": {"Name": ["DAPI", "Membrane", "CD3", "CD8"][:count]}}
    path.parent.mkdir(parents=True)
    with tifffile.TiffWriter(path, bigtiff=True, ome=True) as tiff:
        tiff.write(
            tiles,
            shape=shape,
            dtype=planes.dtype,
            tile=(height, width),
            compression="zlib",
            compressionargs={"level": 1},
            photometric="minisblack",
            metadata=metadata,
        )


@pytest.mark.skipif(not hasattr(os, "wait4"), reason="peak memory of a child process is not known on this system")
@pytest.mark.parametrize(
    ("side", "allowed", "limit"),
    [
        # Its maps alone, whole and in memory, would be 0.27 GB more than the 0.8 GB that a run takes.
        pytest.param(4096, "1500MB", GIGABYTE, marks=pytest.mark.slow),
        pytest.param(8192, "3GB", 3 * GIGABYTE, marks=pytest.mark.hostile),
    ],
)
def test_memory_does_not_grow_with_the_image(tmp_path, tiny_model, side, allowed, limit):
    planes = np.concatenate([spots((1024, 1024), seed=1), spots((1024, 1024), seed=2)])
    write_repeated(tmp_path / "OMETIFF" / "large.ome.tiff", planes, side // 1024)
    words = ("segment-and-measure", "--max_memory", allowed, "--model_path", tiny_model)
    peak = peak_memory(*words, "workspace", tmp_path)
    assert peak < limit
    labels = tifffile.imread(tmp_path / "SEGMASK" / "large_NucleusMask.tiff", maxworkers=1)
    assert labels.shape == (side, side)
    assert labels.max() > 10_000 * (side / 8192) ** 2
