"""How large machines and disks must be, from the headers of the images."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from statistics import mean

from cellscale.engines.batch.compute import Compute, machine_of
from cellscale.errors import CellscaleError, RequestError
from cellscale.pipeline.budget import FIXED, PER_WORKER, SHARE
from cellscale.workspace.discovery import ImageEntry
from cellscale.workspace.entry_image import open_entry_image

__all__ = ["CONDUCTING", "Need", "Sizes", "measure_sizes", "measuring_need", "segmenting_need"]

_HEADERS = 64
"""Files whose headers are read: the largest. Thousands of requests for the others would tell little more."""
_SIDE_BY_SIDE = 16
_DISK_BASE = 20 * 2**30
"""Bytes for what does not grow with the image."""
_DISK_SEGMENTING = 48
"""Bytes a pixel: the network's maps of four heads with their overlaps, the prepared channels and two masks."""
_DISK_MEASURING = 24
"""Bytes a pixel: two masks, and the outlines and measurements of cells as they wait to be written."""
_MEMORY_MEASURING = 2
"""Bytes a pixel: a table row of some hundred numbers for each cell of some hundred pixels."""
_SYSTEM = 1_500_000_000
"""Bytes that the machine's own system takes."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much there is to do."""

    images: int
    file_bytes: int
    """Bytes of all image files; those of OME-Zarr folders are not known."""
    largest: int
    """Pixels of the largest image."""
    pixels: int
    """Pixels of all images; where more than can be asked are there, going by the bytes of their files."""
    decoding_bytes: int = 0
    """Most memory that decoding a compressed strip or tile takes at once."""


@dataclass(frozen=True, slots=True)
class Need:
    """What a task needs of its machine."""

    cpu_milli: int | None
    """Thousandths of a core; None where the machine type does not tell how many it has."""
    memory_mib: int
    disk_gb: int


CONDUCTING = Need(2000, 3000, 10)
"""What the small machine needs that conducts a run."""


def measure_sizes(entries: Sequence[ImageEntry]) -> Sizes:
    """Read the headers of the largest files and go by the bytes of the others.

    Of what has no size of its own, as folders of OME-Zarr, all headers are read: any may be the largest. An image
    that cannot be opened counts nothing here: its task will say what is wrong with it.
    """
    files = sorted((entry for entry in entries if entry.size), key=lambda entry: entry.size, reverse=True)
    asked = [*files[:_HEADERS], *(entry for entry in entries if not entry.size)]
    with ThreadPoolExecutor(_SIDE_BY_SIDE, thread_name_prefix="cellscale-headers") as pool:
        found = list(pool.map(_header, asked))
    counts = {entry.name: pixels for entry, (pixels, _) in zip(asked, found, strict=True)}
    return Sizes(
        images=len(entries),
        file_bytes=sum(entry.size for entry in entries),
        largest=max(counts.values(), default=0),
        pixels=sum(counts.values()) + _unread(files, counts),
        decoding_bytes=max((decoding for _, decoding in found), default=0),
    )


def _unread(files: Sequence[ImageEntry], counts: Mapping[str, int]) -> int:
    """Return the pixels of the files whose headers were not read."""
    others = [entry.size for entry in files if entry.name not in counts]
    known = [(entry.size, counts[entry.name]) for entry in files if counts.get(entry.name)]
    if known:
        return round(sum(others) * sum(pixels for _, pixels in known) / sum(size for size, _ in known))
    readable = [count for count in counts.values() if count]  # none of the largest files, but perhaps folders
    return round(len(others) * mean(readable)) if readable else 0


def segmenting_need(sizes: Sizes, compute: Compute) -> Need:
    """Return what a task that segments the largest image needs."""
    return _need(
        compute,
        memory=_decoding_memory(sizes),
        disk=_DISK_SEGMENTING * sizes.largest,
        option="--segmentation_compute_config",
    )


def measuring_need(sizes: Sizes, compute: Compute) -> Need:
    """Return what a task that measures the largest image needs."""
    return _need(
        compute,
        memory=max(FIXED + _MEMORY_MEASURING * sizes.largest, _decoding_memory(sizes)),
        disk=_DISK_MEASURING * sizes.largest,
        option="--measurement_compute_config",
    )


def _decoding_memory(sizes: Sizes) -> int:
    """Return the memory with which a task, which takes a share of it, does not refuse to decode an image's pieces."""
    return int((FIXED + sizes.decoding_bytes) / SHARE) if sizes.decoding_bytes else FIXED


def _header(entry: ImageEntry) -> tuple[int, int]:
    """Return an image's pixels, and the memory that decoding takes at once."""
    if entry.problem is not None:
        return 0, 0
    try:
        with closing(open_entry_image(entry)) as image:
            return image.info.height * image.info.width, image.info.decoding_bytes
    except CellscaleError:
        return 0, 0


def _need(compute: Compute, *, memory: int, disk: int, option: str) -> Need:
    """Return a need that takes the whole machine, since one task has it to itself."""
    machine = machine_of(compute.machine)
    disk_gb = -(-(_DISK_BASE + disk) // 10**9)
    if machine is None:
        return Need(None, -(-(memory + 4 * PER_WORKER) // 2**20), disk_gb)
    usable = int(machine.memory_gib * 2**30) - _SYSTEM
    if memory + PER_WORKER > usable:
        raise RequestError(
            f"{option}: a machine {compute.machine} has {machine.memory_gib:g} GiB of memory, and the largest image "
            f"needs {(memory + PER_WORKER + _SYSTEM) / 2**30:.1f}; choose a larger machine"
        )
    return Need(machine.cores * 1000, usable // 2**20, disk_gb)
