"""Giving each connected part of a mask's labels a number of its own, for masks that have one for several cells."""

import shutil
from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from cellscale.cells.passes import numbered_parts
from cellscale.images.masks import Mask, open_mask, row_bands, write_mask
from cellscale.pipeline.image_run import ImageRun
from cellscale.predict.heads import Compartment
from cellscale.storage.storage_errors import explained
from cellscale.storage.uri import Entry, Location, filesystem, find, join, local_path
from cellscale.workspace.layout import WorkspacePaths, mask_name
from cellscale.workspace.record import Ledger

__all__ = ["relabelled"]

_BAND = 2**23
"""Pixels of a mask that are read at once."""

_KEPT = ".original"
"""Ending of a mask that was replaced, behind its own."""


def relabelled(
    run: ImageRun, paths: WorkspacePaths, ledger: Ledger, masks: Mapping[Compartment, Entry]
) -> dict[Compartment, Entry]:
    """Return an image's masks with a number for each connected part of a label, written where ours are.

    A mask that has the name of ours is replaced, and kept beside with ``.original`` behind its name; others stay as
    they are, and are not read any more because ours go before them. What was made so is not made again.

    Parameters
    ----------
    run
        Who listens.
    paths
        Where masks and work in progress are.
    ledger
        The image's record.
    masks
        The masks that are there.

    Raises
    ------
    MaskError
        One is damaged, or no mask of labels.
    StorageError
        Something cannot be read or written.
    """
    found: dict[Compartment, Entry] = {}
    for compartment, mask in masks.items():
        target = join(paths.segmasks, mask_name(ledger.image, compartment))
        if ledger.made("relabelling", target):
            found[compartment] = mask
            continue
        ledger.begin("relabelling", "connected parts", [target])
        count = _write(run, mask, target)
        ledger.finish("relabelling", [target], {}, run.placement.run)
        written = find(target)
        assert written is not None, "it was just written"
        found[compartment] = written
        run.notice(f"{mask.name}: its connected parts were given numbers of their own, {count:,} in all")
    return found


def _write(run: ImageRun, mask: Entry, target: Location) -> int:
    """Write a mask's parts, and return how many there are."""
    count = 0
    with open_mask(mask.location) as labels:

        def counted(bands: Iterable[NDArray[np.int32]]) -> Iterable[NDArray[np.int32]]:
            nonlocal count
            for band in bands:
                count = max(count, int(band.max(initial=0)))
                yield band

        bands = counted(numbered_parts(lambda: _bands(labels), mask.name))
        if str(mask.location).lower() == str(target).lower():
            run.notice(f"{mask.name}: the mask as it was is kept as {_keep(mask)}")
        write_mask(target, bands, labels.shape, labels.info.pixel_size, workers=run.budget.workers)
    return count


def _bands(mask: Mask) -> Iterable[NDArray[np.int32]]:
    chunk = min(mask.info.chunk[0], 1024)
    rows = max(_BAND // mask.shape[1] // chunk, 1) * chunk
    return row_bands(mask.read, mask.shape, rows)


def _keep(mask: Entry) -> str:
    """Keep a mask under another name, and return that."""
    number = 1
    while True:
        name = f"{mask.name}{_KEPT}{'' if number == 1 else number}"
        path = local_path(mask.location)
        place = path.with_name(name) if path is not None else f"{mask.location}{name.removeprefix(mask.name)}"
        if find(place) is None:
            break
        number += 1
    with explained("keep a copy of", mask.location):
        if path is None:
            fs, key = filesystem(mask.location)
            fs.cp_file(key, f"{key}{name.removeprefix(mask.name)}")
        else:
            shutil.copy2(path, place)
    return name
