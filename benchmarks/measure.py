"""From masks to tables and QuPath project: seconds and peak memory, by size and number of channels.

Usage, from the project's root: ``python -m benchmarks.measure [--sizes 4096] [--channels 8] [--runs 3]``. The
image is simulated tissue, its masks the simulator's truth. QuPath's own classes, on 4,096 x 4,096 pixels with 8
channels and about 33,000 cells, took 79 s (0.7) and 97 s (0.5.1) on two cores.

``--crowded`` takes masks of as many cells as there can be instead, one with its nucleus in every 6 x 6 pixels, so
that 4,260 x 4,260 pixels have 504,100 (``--sizes 4260 --channels 2``).
"""

import argparse
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import tifffile

QUPATH_SECONDS = 79


def simulated(folder: Path, size: int, channels: int) -> Path:
    """Return a dataset with one image and its true masks."""
    dataset = folder / f"measure-{size}-{channels}"
    words = [sys.executable, "-m", "cellscale", "simulate", str(dataset), "--images", "1", "--size", str(size)]
    subprocess.run([*words, "--channels", str(channels), "--truth"], check=True, stdout=subprocess.DEVNULL)
    (dataset / "SEGMASK").mkdir(exist_ok=True)
    for mask in (dataset / "TRUTH").glob("*Mask.tiff"):
        shutil.copy(mask, dataset / "SEGMASK")
    return dataset


def crowded(folder: Path, size: int, channels: int) -> Path:
    """Return a dataset with one image and masks of small cells, each with a nucleus and corners of its own."""
    dataset, pitch = folder / f"measure-crowded-{size}-{channels}", 6
    side = size // pitch * pitch
    random = np.random.default_rng(0)
    labels = np.arange(1, (side // pitch) ** 2 + 1, dtype=np.int32).reshape(-1, side // pitch)
    cells = np.repeat(np.repeat(labels, pitch, axis=0), pitch, axis=1)
    down, right = (axis % pitch for axis in np.indices(cells.shape, dtype=np.int32))
    corners = (down % 4 == 0) & (right % 4 == 0)
    cells[(down == pitch - 1) | (right == pitch - 1) | (corners & (random.random(cells.shape) < 0.6))] = 0
    inner = (down % 4 > 0) & (right % 4 > 0) & (down < 4) & (right < 4)
    nuclei = np.where(inner & ((down == 2) | (right == 2) | (random.random(cells.shape) < 0.7)), cells, 0)
    names = [f"C{channel}" for channel in range(channels)]
    pixels = random.poisson(300, (channels, side, side)).astype(np.uint16)
    for part in ("OMETIFF", "SEGMASK"):
        (dataset / part).mkdir(parents=True, exist_ok=True)
    scale = {"PhysicalSizeX": 0.5, "PhysicalSizeXUnit": "µm", "PhysicalSizeY": 0.5, "PhysicalSizeYUnit": "µm"}
    tifffile.imwrite(
        dataset / "OMETIFF" / "crowded.ome.tiff",
        pixels,
        metadata={"axes": "CYX", "Channel": {"Name": names}, **scale},
    )
    for compartment, mask in (("WholeCell", cells), ("Nucleus", nuclei)):
        tifffile.imwrite(dataset / "SEGMASK" / f"crowded_{compartment}Mask.tiff", mask)
    return dataset


def sizes_of_files(dataset: Path) -> str:
    """Return how large the files are that a measurement made."""
    made = [
        *(dataset / "REPORTS").glob("*_QUANT.*"),
        *(dataset / "SEGMASK").glob("*_Cells*"),
        *dataset.rglob("*.qpdata"),
    ]
    return ", ".join(
        f"{path.name.partition('_')[2] or path.name} {path.stat().st_size / 1e6:.0f} MB" for path in made
    )


def measured(dataset: Path) -> tuple[float, float, float]:
    """Measure; return the seconds of the whole command, its processor seconds and its peak memory in bytes."""
    words = [sys.executable, "-m", "cellscale", "measure", "--overwrite", "--no_report", "workspace", str(dataset)]
    # An installed package has its bytecode beside it; the first run writes that of a checkout.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    start = time.perf_counter()
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, env=environment)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit("cellscale failed")
    seconds, busy = time.perf_counter() - start, usage.ru_utime + usage.ru_stime
    return seconds, busy, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def main() -> None:
    """Read the words and run; the best of some runs counts, the first of which may compile kernels."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[4096])
    parser.add_argument("--channels", type=int, default=8)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--crowded", action="store_true", help="as many cells as there can be")
    parser.add_argument("--folder", type=Path, default=Path("benchmark-data"))
    options = parser.parse_args()
    options.folder.mkdir(exist_ok=True)
    for size in options.sizes:
        dataset = (crowded if options.crowded else simulated)(options.folder, size, options.channels)
        runs = [measured(dataset) for _ in range(options.runs)]
        seconds, busy = min(run[0] for run in runs), min(run[1] for run in runs)
        peak = max(run[2] for run in runs)
        (table,) = (dataset / "REPORTS").glob("*.parquet")
        cells = pq.read_metadata(table).num_rows
        # QuPath's time was taken at one size; it grows with pixels and channels.
        times = QUPATH_SECONDS * (size / 4096) ** 2 * (options.channels / 8) / seconds
        print(
            f"{size} x {size}, {options.channels} channels, {cells:,} cells: {seconds:.1f} s "
            f"({busy:.1f} s of processors), "
            f"{seconds / cells * 1e6:.0f} s a million cells, {times:.1f} times as fast as QuPath 0.7's classes; "
            f"peak memory {peak / 1e9:.2f} GB; {sizes_of_files(dataset)}"
        )


if __name__ == "__main__":
    main()
