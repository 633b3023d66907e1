"""Time and memory of the report of many images, each as rich as a large one's.

Usage: ``python -m benchmarks.report [IMAGES]``; with ``PYTHONPATH`` set to another version's ``src`` it measures that
version. The pictures are noise, which compresses worst, so that pages are as large as they get.
"""

import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from time import process_time

import numpy as np

from cellscale.records.meter import Meter
from cellscale.report.findings import (
    Areas,
    ChannelLook,
    CompartmentLook,
    CropLook,
    Findings,
    Focus,
    look_to_json,
    webp,
)
from cellscale.report.image_record import ImageRecord
from cellscale.report.sample import describe
from cellscale.report.write import update_report
from cellscale.workspace.layout import WorkspacePaths, look_name, workspace_paths

CHANNELS = 8


def picture(side: int, rng: np.random.Generator) -> str:
    return webp(rng.integers(0, 255, (side, side, 3), np.uint8))


def rich_look() -> Findings:
    """Return what might be seen in an image of 16,384 pixels a side."""
    rng = np.random.default_rng(0)
    areas = Areas.of(rng.gamma(8, 6, 100_000))
    intensities = describe([rng.gamma(2, 100, (1024, 1024)).astype(np.uint16)])
    crop = CropLook(
        whys=("most",), x=0, y=0, width=512, height=512, input=picture(512, rng), overlay=picture(512, rng)
    )
    return Findings(
        shape=(16_384, 16_384),
        dtype="uint16",
        pixel_size=(0.5, 0.5),
        pixel_size_source="file",
        nucleus="#1 DAPI (by its usual name)",
        membrane="#2 Membrane (by its usual name)",
        channels=tuple(ChannelLook(name=f"C{n}", role="other", intensities=intensities) for n in range(CHANNELS)),
        sampled=0.05,
        compartments={
            "whole-cell": CompartmentLook(count=500_000, areas=areas, at_border=900, alone=4000),
            "nuclear": CompartmentLook(count=490_000, areas=areas, at_border=880, alone=2000),
        },
        tile=512,
        tiles=tuple(map(tuple, rng.integers(0, 600, (32, 32)).tolist())),
        focus=Focus(parts=48, blurred=1),
        input=picture(1024, rng),
        overlay=picture(1024, rng),
        thumbnail=picture(342, rng),
        close_up=picture(256, rng),
        crops=(crop,) * 4,
        flags=(),
    )


def prepare(paths: WorkspacePaths, names: list[str]) -> None:
    """Write what was seen in each image."""
    text = look_to_json(rich_look())
    folder = Path(paths.jobs) / "report"
    folder.mkdir(parents=True)
    for name in names:
        (folder / look_name(name)).write_bytes(text)


def main(images: str = "50") -> None:
    """Write the report twice: once in full, once after a run that changed one image."""
    names = [f"image_{number:03}" for number in range(int(images))]
    blank = ImageRecord(image="", status="done", cells=500_000, nuclei=490_000, seconds=3600.0)
    with tempfile.TemporaryDirectory() as folder:
        paths = workspace_paths(folder)
        prepare(paths, names)
        for title, some in (("all images new", names), ("one image new", names[:1]), ("all images kept", names)):
            kept = title.endswith("kept")
            facts = {"status": "kept"} if kept else {"warnings": (title,)}
            records = [replace(blank, image=name, **facts) for name in some]
            start = process_time()
            with Meter() as meter:
                index = update_report(paths, records, names)
            spent, peak = process_time() - start, meter.peak_memory / 1e6
            print(f"{title}: {meter.seconds:.1f} s ({spent:.1f} s of one core), {peak:.0f} MB at most")
        pages = sum(page.stat().st_size for page in Path(paths.reports).iterdir())
        print(f"list {Path(index).stat().st_size / 1e6:.1f} MB, all pages {pages / 1e6:.0f} MB")


if __name__ == "__main__":
    main(*sys.argv[1:])
