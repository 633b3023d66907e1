"""The network's input and its maps, kept as Zarr for those who want to look at them."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from cellscale.ordered import in_order
from cellscale.pipeline.image_run import ImageRun
from cellscale.pipeline.request import Request
from cellscale.pipeline.resume import clear_leftovers, decided
from cellscale.pipeline.segmenting.mask_marks import MaskMarks
from cellscale.pipeline.segmenting.preparation import Prepared
from cellscale.regions import Region, RegionReader, blocks
from cellscale.storage.group_rights import share_tree
from cellscale.storage.uploads import send_folder
from cellscale.storage.uri import Location, join, local_path, make_folder
from cellscale.workspace.record import Ledger

__all__ = [
    "clear_intermediates",
    "intermediates_to_make",
    "note_intermediates",
    "save_intermediates",
    "send_intermediates",
]

CHUNK = 1024
"""Rows and columns of a chunk, and of what is computed at once."""


def save_intermediates(
    run: ImageRun, target: Path, prepared: Prepared, read_maps: RegionReader, names: Sequence[str], channels: int
) -> None:
    """Write a Zarr group with the arrays ``preprocessed`` and ``maps``.

    ``preprocessed`` is float32 ``(channels, rows, columns)``, as the network takes them; ``maps`` is float32
    ``(maps, rows, columns)``, named by the group's attribute ``maps``. Both are at the network's pixel size.

    Parameters
    ----------
    run
        Who listens, and how much of the machine may be used.
    target
        Folder of the group; it appears when it is whole and replaces an earlier one.
    prepared
        The network's input.
    read_maps
        Answers for a region with the network's maps.
    names
        What the maps are.
    channels
        Number of channels of the network's input.
    """
    import zarr  # takes half a second to load, and few ask for it

    cores = list(blocks(prepared.shape, (CHUNK, CHUNK)))
    with run.stage("intermediates", len(cores)) as advance, _replacing(target) as folder:
        group = zarr.create_group(folder, attributes={"maps": list(names)})
        arrays = [
            group.create_array(name, shape=(count, *prepared.shape), chunks=(count, CHUNK, CHUNK), dtype=np.float32)
            for name, count in (("preprocessed", channels), ("maps", len(names)))
        ]

        def write(core: Region) -> None:
            arrays[0][:, *core.slices] = prepared.read(core)
            arrays[1][:, *core.slices] = read_maps(core)

        for _ in in_order(write, cores, run.budget.workers):
            advance()


def intermediates_to_make(run: ImageRun, request: Request, ledger: Ledger, marks: MaskMarks) -> bool:
    """Tell whether intermediates are asked for that are not there, or are of something else.

    Raises
    ------
    StorageError
        It cannot be known.
    """
    if not request.segmenting.keep_intermediates:
        return False
    place = _place(request.paths.jobs, ledger.image)
    return not decided(run, request, ledger, "intermediates", _mark(request, marks), [place]).is_done


def send_intermediates(folder: Path, jobs: Location, image: str) -> None:
    """Bring what `save_intermediates` wrote on this machine to the dataset, where that is elsewhere."""
    if local_path(jobs) is None:
        send_folder(folder, str(_place(jobs, image)))
        shutil.rmtree(folder)


def note_intermediates(run: ImageRun, request: Request, ledger: Ledger, marks: MaskMarks) -> None:
    """Put intermediates that are whole on record."""
    ledger.begin("intermediates", _mark(request, marks), ())
    place = _place(request.paths.jobs, ledger.image)
    ledger.finish("intermediates", [place], {})
    run.note_fate("made", [place])


def clear_intermediates(run: ImageRun, request: Request, ledger: Ledger, marks: MaskMarks) -> None:
    """Remove intermediates of other pixels or another network that nobody asks for any more."""
    place = _place(request.paths.jobs, ledger.image)
    record = ledger.record("intermediates", place)
    if record is not None and not record.made_from.startswith(f"{marks.maps} "):
        clear_leftovers(run, ledger, "intermediates", [place], _mark(request, marks))


def _place(jobs: Location, image: str) -> Location:
    return join(jobs, "intermediates", f"{image}.zarr")


def _mark(request: Request, marks: MaskMarks) -> str:
    return f"{marks.maps} {' '.join(request.compartments)}"


@contextmanager
def _replacing(target: Path) -> Iterator[Path]:
    """Give a folder to write into, which becomes ``target`` at the end."""
    part = target.with_name(f".{target.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    make_folder(part.parent)
    yield part
    share_tree(part)
    shutil.rmtree(target, ignore_errors=True)
    part.rename(target)
