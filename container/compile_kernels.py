"""Compile all kernels by working once on a small simulated dataset with networks that need no weights.

That is done for the kind of processors that everybody has; `compile_again` does the same for the better ones of
``targets.txt``, without running anything. What Python compiles of the modules that are loaded on the way is kept as
well, and of no others.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import tifffile

from cellscale.kernel_target import targets

RUNS = ((), ("--image_mpp", "0.4", "--visualize"), ("--compartment", "nuclear"))
"""Options of the runs: one for each way through the pipeline that has kernels of its own."""

TYPES = (np.uint8, np.float32)
"""Types of pixels beside uint16, which is simulated: others are rare."""

LOAD = """
import importlib, importlib.util, pkgutil, cellscale
names = [module.name for module in pkgutil.walk_packages(cellscale.__path__, "cellscale.")]
for name in [*names, "anndata", "distributed.cli.dask_worker", "gcsfs", "google.cloud.batch_v1", "s3fs"]:
    if name.endswith("__main__"):
        continue
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        print(f"{name} is not loaded: {error}")
"""
"""Loads every module of cellscale, and what storage and engines load by name."""


def main(model: Path, mesmer_like: Path, listed: Path, folder: Path) -> None:
    """Simulate, segment and measure below a folder.

    Parameters
    ----------
    model, mesmer_like
        Networks: any, and one that the kernels compute.
    listed
        Kinds of processors, as `cellscale.kernel_target.targets` reads them.
    folder
        Where the dataset is made.
    """
    command = [sys.executable, "-m", "cellscale"]
    subprocess.run([sys.executable, "-c", LOAD], check=True)
    subprocess.run([*command, "simulate", str(folder), "--images", "1", "--size", "320", "--seed", "1"], check=True)
    copies = list(other_types(next((folder / "OMETIFF").iterdir())))
    for options in RUNS:
        words = ["segment-and-measure", "--overwrite", "--model_path", str(model), *options, "workspace", str(folder)]
        subprocess.run([*command, *words], check=True)
        for path in copies:  # once is enough for them
            path.unlink(missing_ok=True)
    words = [
        "segment",
        "--overwrite",
        "--model_path",
        str(mesmer_like),
        "--device",
        "cpu:native",
        "workspace",
        str(folder),
    ]
    subprocess.run([*command, *words], check=True)
    *better, (name, features) = targets(listed.read_text(encoding="utf-8")).items()
    for target, has in better:
        variables = os.environ | {"NUMBA_CPU_NAME": target, "NUMBA_CPU_FEATURES": has}
        again = [sys.executable, str(Path(__file__).with_name("compile_again.py")), name, features]
        subprocess.run(again, env=variables, check=True)


def other_types(path: Path) -> Iterator[Path]:
    """Write an image beside itself with pixels of other types, and yield the new files."""
    with tifffile.TiffFile(path) as tiff:
        pixels = tiff.asarray()
    for pixel in TYPES:
        copy = path.with_name(f"{np.dtype(pixel).name}.ome.tiff")
        metadata = {
            "axes": "CYX",
            "PhysicalSizeX": 0.5,
            "PhysicalSizeY": 0.5,
            "Channel": {"Name": ["DAPI", "Membrane"]},
        }
        scaled = pixels[:2] * (255 / pixels.max())
        tifffile.imwrite(copy, scaled.astype(pixel), photometric="minisblack", metadata=metadata)
        yield copy


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
