"""Images whose tags or metadata were changed, and whether they end in a right reading or in an honest refusal."""

import random
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tifffile
import zarr

from cellscale.errors import CellscaleError, DefectError
from cellscale.images.open import open_image
from cellscale.regions import Region
from tests.hostile.memory import peak_since, reset_peak
from tests.hostile.ome_mutations import ome_mutation
from tests.hostile.tiff_mutations import tiff_mutation
from tests.hostile.zarr_mutations import zarr_mutation

__all__ = ["Mutation", "check_pixels", "mutations", "outcome"]

KINDS = {"tiff": tiff_mutation, "ome": ome_mutation, "zarr": zarr_mutation}
SECONDS = 10
SLACK = 96 * 2**20
"""Bytes that reading may need beyond twice what is declared: libraries that load, caches, threads."""
LARGEST = 64 * 2**20
"""Bytes of an image that is read as a whole; of a larger one a corner is."""


@dataclass(frozen=True, slots=True)
class Mutation:
    """A changed image."""

    kind: str
    name: str
    write: Callable[[Path], Path]


def mutations(count: int, seed: int | str) -> Iterator[Mutation]:
    """Return changed images, the same ones for a seed."""
    for number in range(count):
        rng = random.Random(f"{seed} {number}")
        kind = rng.choice(list(KINDS))
        name, write = KINDS[kind](rng)
        yield Mutation(kind, f"{seed} {number} {kind} {name}", write)


def outcome(path: Path) -> str:
    """Return whether an image was ``read`` or ``refused``, and check that it was so as it has to be."""
    reset_peak()
    start = time.monotonic()
    found, declared, said = None, 0, ""
    try:
        image = open_image(path)
        try:
            info = image.info
            declared = len(info.channels) * info.height * info.width * info.dtype.itemsize
            region = info.region if declared <= LARGEST else Region(0, 0, min(60, info.height), min(80, info.width))
            channels = tuple(range(len(info.channels)))
            found = image.read(channels if declared <= LARGEST else channels[:4], region)
            for level, (height, width) in enumerate(info.levels[1:4], 1):
                image.read((0,), Region(0, 0, min(60, height), min(80, width)), level)
        finally:
            image.close()
    except DefectError:
        raise
    except CellscaleError as error:
        said = str(error)
    seconds, peak = time.monotonic() - start, peak_since()
    assert seconds < SECONDS, f"{seconds:.1f} seconds"
    assert peak < SLACK + 2 * declared, f"{peak:,} bytes of memory for {declared:,} bytes of pixels"
    if found is None:
        assert path.name in said
        return "refused"
    if declared <= LARGEST:
        check_pixels(path, image.info, found)
    return "read"


def check_pixels(path: Path, info, found: np.ndarray) -> None:
    """Check that pixels are those that zarr or tifffile reads."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        readings = list(_zarr_readings(path) if path.is_dir() else _tiff_readings(path, info))
    assert any(_same(found, reading) for reading in readings), f"other pixels than {len(readings)} readings"


def _same(found: np.ndarray, reading: np.ndarray) -> bool:
    return found.size == reading.size and np.array_equal(
        found, reading.astype(found.dtype).reshape(found.shape), equal_nan=found.dtype.kind == "f"
    )


def _zarr_readings(path: Path) -> Iterator[np.ndarray]:
    group = zarr.open_group(path, mode="r")
    facts = dict(group.attrs)
    facts = facts.get("ome", facts)
    if "multiscales" not in facts:
        group = group["0"]
        facts = dict(group.attrs)
        facts = facts.get("ome", facts)
    yield group[facts["multiscales"][0]["datasets"][0]["path"]][...]


def _tiff_readings(path: Path, info) -> Iterator[np.ndarray]:
    """Return what tifffile reads: of the images as it understands them, and of pages of one size."""
    is_placed = not any("taken in their order" in warning for warning in info.warnings)
    with tifffile.TiffFile(path) as tiff:
        for series in _all_of(lambda: tiff.series):
            reading = _of_ome(series) if series.kind == "ome" else _all_of(lambda series=series: [_whole(series)])
            yield from reading
            if series.kind == "ome" and is_placed and reading and reading[0].size == _size(info):
                return  # OME-XML says which page is which channel
    with tifffile.TiffFile(path) as tiff:
        tiff.pages.useframes = False
        pages = _all_of(lambda: [page.aspage() for page in tiff.pages])
        stored = [
            _channels_first(_upright(pixels, page), page.axes).reshape(-1, *info.shape)
            for page in pages
            if (page.imagelength, page.imagewidth) == info.shape
            for pixels in _all_of(lambda page=page: [page.asarray()])
        ]
        for count in range(1, len(stored) + 1):
            yield np.concatenate(stored[:count])


def _size(info) -> int:
    return len(info.channels) * info.height * info.width


def _whole(series) -> np.ndarray:
    return _channels_first(_upright(series.asarray(), series.keyframe), series.axes)


def _of_ome(series) -> list[np.ndarray]:
    """Return an OME image's planes by the tags of each; tifffile itself reads all by those of the first one."""
    pages = _all_of(lambda: [page.aspage() for page in series.pages])
    return _all_of(lambda: [np.stack([_channels_first(_upright(page.asarray(), page), page.axes) for page in pages])])


def _all_of(read: Callable[[], list]) -> list:
    """Return what tifffile reads; what it does not read is no reading."""
    try:
        return list(read())
    except Exception:
        return []


def _upright(pixels: np.ndarray, page) -> np.ndarray:
    """Return pixels that rise with brightness, as Bio-Formats and we read them."""
    tag = page.tags.get("PhotometricInterpretation")
    if tag is None or tag.value != 0 or pixels.dtype.kind != "u":
        return pixels
    return 2 ** min(page.bitspersample, 8 * pixels.itemsize) - 1 - pixels


def _channels_first(pixels: np.ndarray, axes: str) -> np.ndarray:
    return np.moveaxis(pixels, -1, axes.index("Y")) if axes.endswith("S") else pixels
