"""What is known before anything is computed: whether outputs can be written, and which images will fail."""

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from cellscale.errors import StorageError
from cellscale.images.info import ImageInfo
from cellscale.pipeline.budget import Budget
from cellscale.pipeline.events import ImagesSeen, Listener, Notice
from cellscale.pipeline.model import Model
from cellscale.pipeline.request import Request
from cellscale.storage.uri import join, local_path
from cellscale.workspace.discovery import ImageEntry
from cellscale.workspace.entry_image import open_entry_image
from cellscale.workspace.layout import mask_name, report_name

__all__ = ["SeenImages", "failing_first", "require_writable", "seen_images"]

_SIDE_BY_SIDE = 8
_BYTES = 3.0
"""Bytes a pixel that masks of both compartments, tables and outlines take in dense tissue, compressed as they are."""
_STATE = 8.0
"""Bytes a pixel that the labels of both compartments take while an image is worked on."""


def require_writable(request: Request, listener: Listener) -> None:
    """Check that local folders of outputs can be made and written to, without making one.

    A dry run warns of it: what is finished in another user's dataset may be looked at all the same.

    Raises
    ------
    StorageError
        One cannot.
    """
    try:
        _require_writable(request)
    except StorageError as error:
        if not request.dry_run:
            raise
        listener(Notice("", "warning", f"{error}. A run would stop here"))


def _require_writable(request: Request) -> None:
    paths = request.paths
    tables = (paths.reports, paths.project) if request.measure else (paths.reports,) if request.outputs.report else ()
    for folder in (paths.jobs, paths.segmasks, *tables):
        path = None if folder is None else local_path(folder)
        if path is None:
            continue
        above = _existing(path)
        if not above.is_dir():
            raise StorageError(f"{path} cannot be made: {above} is a file. Move it away, or name another folder")
        if not os.access(above, os.W_OK | os.X_OK):
            raise StorageError(
                f"{path} cannot be written: {above} is read-only for you; make it writable, or name another"
            )


@dataclass(frozen=True, slots=True)
class SeenImages:
    """What is known of a run's images before any is worked on."""

    entries: tuple[ImageEntry, ...]
    """In the order in which to work on them: those that will fail come first."""
    infos: Mapping[str, ImageInfo]
    """By name what the header of each image without outputs says that will not fail."""


def failing_first(
    request: Request,
    entries: Sequence[ImageEntry],
    budget: Budget,
    listener: Listener,
    model: Model | None = None,
) -> list[ImageEntry]:
    """Return the images in the order in which to work on them; arguments as of `seen_images`."""
    return list(seen_images(request, entries, budget, listener, model).entries)


def seen_images(
    request: Request,
    entries: Sequence[ImageEntry],
    budget: Budget,
    listener: Listener,
    model: Model | None = None,
) -> SeenImages:
    """Look at the images before any is worked on.

    The channels and µm/px of all images without outputs are looked at before any is computed, so that what is wrong
    with the last one is told in the first minute. Nothing is decided here: each image then fails by itself, with the
    reason.

    Parameters
    ----------
    request
        What to do.
    entries
        The images.
    budget
        What may be used.
    listener
        Is told if the disk has too little room, and what was seen.
    model
        The network; None where nothing is segmented.
    """
    waiting = [entry for entry in entries if request.outputs.overwrite or not _has_outputs(entry.name, request)]
    with ThreadPoolExecutor(_SIDE_BY_SIDE, thread_name_prefix="cellscale-check") as pool:
        seen = list(pool.map(_looked_at(request, budget), waiting))
    known = [
        (entry.name, info, request.of(entry.name).channels.mpp)
        for entry, info in zip(waiting, seen, strict=True)
        if info is not None
    ]
    _tell_of_room(request, [info for _, info, _ in known], listener)
    event = ImagesSeen(tuple(known), request.segment, request.measure, request.paths.jobs)
    listener(event if model is None else replace(event, network=model.name, interface=model.interface))
    failing = {entry.name for entry, info in zip(waiting, seen, strict=True) if info is None}
    ordered = sorted(entries, key=lambda entry: entry.name not in failing)
    return SeenImages(tuple(ordered), {name: info for name, info, _ in known})


def _looked_at(request: Request, budget: Budget) -> Callable[[ImageEntry], ImageInfo | None]:
    """Return what gives an image's facts; None for one that will fail."""

    def look(entry: ImageEntry) -> ImageInfo | None:
        if entry.problem is not None:
            return None
        try:
            if request.segment:
                from cellscale.pipeline.segmenting import open_input  # loads what measuring alone does without

                asked = request.of(entry.name)
                with open_input(entry, asked.channels, asked.preprocessing, 0) as source:
                    budget.require_room(source.info)
                    return source.info
            with closing(open_entry_image(entry)) as image:
                return image.info
        except Exception:  # whatever it is: the image meets it again when its turn comes, and tells it
            return None

    return look


def _tell_of_room(request: Request, images: Sequence[ImageInfo], listener: Listener) -> None:
    """Warn where the disk has less room than the images will take."""
    path = local_path(request.paths.segmasks)
    if path is None:
        return
    pixels = [info.height * info.width for info in images]
    if not pixels:
        return
    needed = sum(pixels) * _BYTES + (max(pixels) * _STATE if request.segment else 0)
    with suppress(OSError):
        free = shutil.disk_usage(_existing(path)).free
        if free < needed:
            text = (
                f"{free / 1e9:.1f} GB are free in {_existing(path)}; {len(pixels):,} images may take about "
                f"{needed / 1e9:.1f} GB. Make room: if the disk fills up, what is finished is kept, and the same "
                "command goes on"
            )
            listener(Notice("", "warning", text))


def _has_outputs(image: str, request: Request) -> bool:
    """Tell whether outputs of an image are there, on a local disk: it is then most likely kept, and not looked at."""
    masks = [join(request.paths.segmasks, mask_name(image, compartment)) for compartment in request.compartments]
    table = join(request.paths.reports, report_name(image))
    wanted = [*(masks if request.segment else []), *([table] if request.measure else [])]
    with suppress(OSError):  # a name that is too long for the disk
        return all(path is not None and path.exists() for path in map(local_path, wanted))
    return False


def _existing(path: Path) -> Path:
    """Return a folder, or the nearest one above it that is there."""
    return next(place for place in (path, *path.parents) if place.exists())
