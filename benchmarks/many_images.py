"""Processor time of one more image in a dataset of thousands: of the last ones against those around the hundredth.

Usage, from the root: ``python -m benchmarks.many_images [--images 3000]``.
Images have 64 x 64 pixels and 16 cells, with masks, and are measured, with QuPath project and report. What follows
the last image (records, report) is shared by all of them.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import tifffile

from cellscale.engines.local import run
from cellscale.pipeline.events import Event, ImageFinished
from cellscale.pipeline.request import Request
from cellscale.workspace.layout import workspace_paths

SIDE, PITCH = 64, 16


def dataset(folder: Path, count: int) -> Path:
    """Make a dataset of small images and their masks."""
    for part in ("OMETIFF", "SEGMASK"):
        (folder / part).mkdir(parents=True)
    rows, columns = np.indices((SIDE, SIDE))
    numbers = (rows // PITCH) * (SIDE // PITCH) + columns // PITCH + 1
    edge = np.minimum(rows % PITCH, columns % PITCH)
    cells = np.where(edge >= 2, numbers, 0).astype(np.uint32)
    nuclei = np.where((edge >= 6) & (np.maximum(rows % PITCH, columns % PITCH) < 12), numbers, 0).astype(np.uint32)
    random = np.random.default_rng(0)
    scale = {"PhysicalSizeX": 0.5, "PhysicalSizeXUnit": "µm", "PhysicalSizeY": 0.5, "PhysicalSizeYUnit": "µm"}
    for number in range(count):
        name = f"core{number:05}"
        pixels = random.poisson(300, (2, SIDE, SIDE)) + 2000 * np.stack([nuclei > 0, cells > 0])
        tifffile.imwrite(
            folder / "OMETIFF" / f"{name}.ome.tiff",
            pixels.astype(np.uint16),
            metadata={"axes": "CYX", "Channel": {"Name": ["DAPI", "Membrane"]}, **scale},
        )
        for compartment, mask in (("WholeCell", cells), ("Nucleus", nuclei)):
            tifffile.imwrite(folder / "SEGMASK" / f"{name}_{compartment}Mask.tiff", mask, compression="zlib")
    return folder


def seconds(folder: Path) -> tuple[np.ndarray, float]:
    """Measure a dataset; return the processor time of each image, and that of what follows."""
    times: list[float] = []

    def listen(event: Event) -> None:
        if isinstance(event, ImageFinished):
            times.append(time.process_time())
            assert event.status == "done", f"{event.image} {event.status}"

    run(Request(paths=workspace_paths(str(folder)), segment=False), listen)
    return np.diff(times), time.process_time() - times[-1]


def main() -> None:
    """Read the words and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=3000)
    count = parser.parse_args().images
    with tempfile.TemporaryDirectory() as scratch:
        taken, end = seconds(dataset(Path(scratch) / "many", count))
    # A quarter of them, so that what is done once for many images counts with its share.
    first, last = taken[75:125].mean(), taken[-count // 4 :].mean()
    print(f"image 75 to 125 {1e3 * first:.1f} ms, last quarter of {count} {1e3 * last:.1f} ms: {last / first:.2f}")
    whole = last + end / count
    print(f"what follows the last image: {1e3 * end / count:.1f} ms for each; with it {whole / first:.2f}")


if __name__ == "__main__":
    main()
