"""Memory stays bounded, whatever the size of the image: this is a promise, so it is asserted."""

import os
import subprocess
import sys

import numpy as np
import pytest
import tifffile

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


def peak_memory(words):
    """Run a command and return the largest resident size it had, in bytes."""
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    try:
        output = process.stdout.read()
    except BaseException:
        process.kill()
        raise
    process.stdout.close()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, output
    return usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "wait4"), reason="peak memory of a child process is not known on this system")
def test_an_image_of_8192_pixels_a_side_takes_less_than_three_gigabytes(tmp_path, tiny_model):
    planes = np.concatenate([spots((1024, 1024), seed=1), spots((1024, 1024), seed=2)])
    write_repeated(tmp_path / "OMETIFF" / "large.ome.tiff", planes, 8)
    words = [sys.executable, "-m", "cellscale", "segment-and-measure", "--max_memory", "3GB"]
    peak = peak_memory([*words, "--model_path", str(tiny_model), "workspace", str(tmp_path)])
    assert peak < 3 * GIGABYTE
    labels = tifffile.imread(tmp_path / "SEGMASK" / "large_NucleusMask.tiff", maxworkers=1)
    assert labels.shape == (8192, 8192)
    assert labels.max() > 10_000
