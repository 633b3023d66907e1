"""What a folder of images holds besides images, and images in the folders below it."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from cellscale.errors import StorageError
from cellscale.images.channels import LIST_NAMES
from cellscale.images.image_names import SUFFIXES
from cellscale.storage.uri import Entry, Location, listing, local_path
from cellscale.workspace.layout import WorkspacePaths

__all__ = ["entries_below", "left_out"]

_SHOWN = 5
_JOINT = "_"


def entries_below(paths: WorkspacePaths) -> list[Entry]:
    """Return what the images' folder and those below it hold, each under its path with ``_`` between folders.

    An OME-Zarr is one thing, and no folder to look into. Hidden folders and those of outputs are passed over.

    Raises
    ------
    StorageError
        A folder cannot be read.
    """
    found = _below(paths.images, "", frozenset(), _outputs(paths))
    return sorted(found, key=lambda entry: entry.name)


def _below(folder: Location, prefix: str, above: frozenset[Path], outputs: set[str]) -> Iterator[Entry]:
    path = local_path(folder)
    here = above if path is None else above | {path.resolve()}
    for entry in listing(folder):
        if not _is_subfolder(entry):
            yield replace(entry, name=prefix + entry.name) if not _is_hidden(entry) else entry
            continue
        below = local_path(entry.location)
        if str(entry.location) in outputs or (below is not None and below.resolve() in here):
            continue
        try:
            yield from _below(entry.location, f"{prefix}{entry.name}{_JOINT}", here, outputs)
        except StorageError as error:
            yield replace(entry, name=prefix + entry.name, is_folder=False, problem=str(error))


def left_out(paths: WorkspacePaths, *, recursive: bool = False) -> tuple[str, ...]:
    """Return what the user should know of things in the folder of images that are not worked on.

    Parameters
    ----------
    paths
        Folders of the dataset.
    recursive
        Images of the folders below are worked on as well.
    """
    try:
        entries = entries_below(paths) if recursive else listing(paths.images)
    except StorageError:  # whoever lists the images tells why
        return ()
    others = [
        entry
        for entry in entries
        if not _is_image(entry) and not _is_hidden(entry) and entry.name.lower() not in LIST_NAMES
    ]
    folders = [entry for entry in others if _is_subfolder(entry) and str(entry.location) not in _outputs(paths)]
    files = [entry for entry in others if not _is_subfolder(entry)]
    if paths.images == paths.segmasks:
        files = []  # what is made lies among the images
    texts = []
    if folders:
        texts.append(
            f"{_counted(folders, 'sub-folder')} in {paths.images}: left out; --recursive works on the images in "
            "them, or they are datasets of their own"
        )
    if files:
        texts.append(
            f"{_counted(files, 'file')} in {paths.images}: no image by the name, and left out; images end in "
            f"{', '.join(SUFFIXES[:-1])}"
        )
    return tuple(texts)


def _outputs(paths: WorkspacePaths) -> set[str]:
    return {str(folder) for folder in (paths.segmasks, paths.numpy, paths.project, paths.reports, paths.jobs)}


def _is_image(entry: Entry) -> bool:
    return entry.name.lower().endswith(tuple(ending for ending in SUFFIXES if ending != ".npz"))


def _is_subfolder(entry: Entry) -> bool:
    return entry.is_folder and not _is_image(entry) and not _is_hidden(entry)


def _is_hidden(entry: Entry) -> bool:
    return entry.name.startswith((".", "~"))


def _counted(entries: list[Entry], what: str) -> str:
    shown = ", ".join(
        entry.name.encode("utf-8", "backslashreplace").decode() + (f" ({entry.problem})" if entry.problem else "")
        for entry in entries[:_SHOWN]
    )
    more = f" and {len(entries) - _SHOWN:,} more" if len(entries) > _SHOWN else ""
    return f"{len(entries):,} {what}{'s' if len(entries) > 1 else ''} ({shown}{more})"
