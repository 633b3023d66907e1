"""What `cellscale doctor` tries rather than looks at: a run of everything, in a temporary folder, on a tiny image."""

import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cellscale.cli.health.checks import Check
from cellscale.errors import CellscaleError
from cellscale.faults import defect_text, failure_text

__all__ = ["prove"]

_SIDE = 192
_GAP = 48
"""Pixels between the centres of neighbouring spots."""
_SPOTS = (_SIDE // _GAP) ** 2
_COMPRESSIONS = ("none", "lzw", "zlib", "zstd", "packbits", "jpeg2000")
_SLOW = 15.0
"""Seconds above which it is said why this took so long."""

Step = Callable[[Path], str]
"""Does one thing in a folder, and returns what it found; raises where that fails."""


def prove() -> list[Check]:
    """Write images, read them, segment one, measure it and write a project; compare all with what is known.

    Returns
    -------
    A check for each step; those that need what failed are left out.
    """
    checks = []
    with tempfile.TemporaryDirectory(prefix="cellscale-doctor-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        for what, step in _STEPS:
            checks.append(_tried(f"try {what}", step, folder))
            if step is _segment and checks[-1].status == "problem":
                break
    return checks


def _tried(name: str, step: Step, folder: Path) -> Check:
    start = time.monotonic()
    try:
        found = step(folder)
    except Exception as error:  # to find what fails is what this is for
        return Check(name, "problem", failure_text(error))
    seconds = time.monotonic() - start
    slow = "; numeric code was compiled, once for this installation" if seconds > _SLOW else ""
    return Check(name, "ok", f"{found} ({seconds:.1f} s{slow})")


def _tiff(folder: Path) -> str:
    """Compare pixels of TIFFs of several compressions."""
    import tifffile

    from cellscale.errors import CodecError

    missing = []
    for compression in _COMPRESSIONS:
        path = folder / f"{compression}.ome.tiff"
        try:
            tifffile.imwrite(
                path, _pixels(), ome=True, tile=(64, 64), photometric="minisblack", metadata={"axes": "CYX"},
                compression=None if compression == "none" else compression,
            )  # fmt: skip
            _compare(path, _pixels())
        except (CodecError, ImportError, KeyError):  # as tifffile says that it cannot write
            missing.append(compression)
    if {"none", "lzw", "zlib"} & set(missing):
        raise CellscaleError(
            f"images cannot be written and read with {', '.join(missing)}: install imagecodecs again"
        )
    done = [name for name in _COMPRESSIONS if name not in missing]
    return f"written and read with {', '.join(done)}" + (f"; no codec for {', '.join(missing)}" if missing else "")


def _pyramid(folder: Path) -> str:
    """Compare pixels of a pyramid."""
    import tifffile

    path, pixels = folder / "pyramid.ome.tiff", _pixels()
    with tifffile.TiffWriter(path, ome=True) as writer:
        how = {"tile": (64, 64), "photometric": "minisblack", "compression": "zlib"}
        writer.write(pixels, subifds=1, metadata={"axes": "CYX"}, **how)
        writer.write(pixels[:, ::2, ::2], subfiletype=1, **how)
    _compare(path, pixels)
    _compare(path, pixels[:, ::2, ::2], level=1)
    return "two resolutions of an OME-TIFF"


def _zarr(folder: Path) -> str:
    """Compare labels of an OME-Zarr."""
    from cellscale.images.zarr import write_label_zarr

    labels = _pixels()[0].astype(np.int32)
    path = folder / "labels.ome.zarr"
    write_label_zarr(path, [labels], labels.shape)
    _compare(path, labels[np.newaxis])
    return "written and read"


def _segment(folder: Path) -> str:
    """Find the cells of the spots."""
    import tifffile

    from cellscale.images.masks import open_mask
    from cellscale.predict.onnx_file import tiny_network

    (folder / "data" / "OMETIFF").mkdir(parents=True)
    (folder / "tiny.onnx").write_bytes(tiny_network())
    names = {"axes": "CYX", "Channel": {"Name": ["DAPI", "Membrane"]}, "PhysicalSizeX": 0.5, "PhysicalSizeY": 0.5}
    tifffile.imwrite(folder / "data" / "OMETIFF" / "spots.ome.tiff", _pixels(), ome=True, metadata=names)
    _run(folder, segment=True)
    with open_mask(folder / "data" / "SEGMASK" / "spots_WholeCellMask.tiff") as mask:
        found = int(mask.read(mask.info.region).max())
    if found != _SPOTS:
        raise ValueError(f"{found} cells found in an image of {_SPOTS}")
    return f"{found} of {_SPOTS} cells found by a tiny network"


def _measure(folder: Path) -> str:
    """Measure the cells and write a project."""
    import pyarrow.parquet

    _run(folder, segment=False)
    table = pyarrow.parquet.read_table(folder / "data" / "REPORTS" / "spots_QUANT.parquet")
    entries = json.loads((folder / "data" / "PROJ" / "project.qpproj").read_bytes())["images"]
    if table.num_rows != _SPOTS or len(entries) != 1:
        raise ValueError(f"{table.num_rows} cells measured of {_SPOTS}, {len(entries)} images in the project of 1")
    return f"{_SPOTS} cells measured; table and QuPath project written"


def _run(folder: Path, *, segment: bool) -> None:
    """Segment the image, or measure it and write the project."""
    from cellscale.engines.engine import find_engine
    from cellscale.pipeline.events import ignore
    from cellscale.pipeline.request import NetworkChoice, Outputs, Request
    from cellscale.workspace.layout import workspace_paths

    request = Request(
        paths=workspace_paths(str(folder / "data")),
        segment=segment,
        measure=not segment,
        network=NetworkChoice(path=str(folder / "tiny.onnx"), device="cpu"),
        outputs=Outputs(report=False),
    )
    outcome = find_engine("local")(request, ignore)
    for image in outcome.failed:
        raise CellscaleError(image.error or "the image failed")
    if outcome.error is not None:
        raise CellscaleError(outcome.error)


def _pixels() -> NDArray[np.uint16]:
    """Return two channels of bright spots in a grid."""
    rows, columns = np.mgrid[:_SIDE, :_SIDE] % _GAP - _GAP // 2
    spots = (10_000 * np.exp(-(rows**2 + columns**2) / 60)).astype(np.uint16)
    return np.stack([spots, spots // 2])


def _compare(path: Path, expected: NDArray[np.integer], level: int = 0) -> None:
    """Raise where an image that was just written has other pixels."""
    from contextlib import closing

    from cellscale.images.open import open_image
    from cellscale.regions import Region

    if path.name.endswith(".zarr"):
        from cellscale.images.masks import open_mask

        with open_mask(path) as mask:
            found = mask.read(mask.info.region)[np.newaxis]
    else:
        with closing(open_image(path)) as image:
            channels = tuple(range(len(image.info.channels)))
            found = image.read(channels, Region(0, 0, *expected.shape[1:]), level)
    if not np.array_equal(found, expected):
        raise CellscaleError(defect_text(ValueError(f"{path.name}: other pixels were read than were written")))


_STEPS: tuple[tuple[str, Step], ...] = (
    ("TIFF", _tiff),
    ("pyramid", _pyramid),
    ("OME-Zarr", _zarr),
    ("segment", _segment),
    ("measure", _measure),
)
"""What is tried, under the names that the checks have."""
