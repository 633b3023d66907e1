"""Which file the results of an image's name are of: two images of one name must not share folders."""

import hashlib
import json
from pathlib import Path

from cellscale.errors import ImageError, StorageError
from cellscale.pipeline.request import Outputs
from cellscale.storage.atomic import write_text
from cellscale.storage.json_text import parsed_json
from cellscale.storage.places import same_place
from cellscale.storage.ranges import open_ranges
from cellscale.storage.uri import Location, base_name, find, is_uri, join, make_folder, read_if_there
from cellscale.workspace.discovery import ImageEntry
from cellscale.workspace.layout import WorkspacePaths

__all__ = ["note_source", "require_one_source"]

_SAMPLES, _SAMPLE = 8, 64 * 1024
"""Parts of a file that are compared, and the bytes of each."""


def require_one_source(entry: ImageEntry, paths: WorkspacePaths, outputs: Outputs) -> None:
    """Refuse an image whose name another file's results have already, unless these may be replaced.

    A file that was moved, copied or replaced is no other.

    Raises
    ------
    ImageError
        The results in the folders are another image's.
    StorageError
        It cannot be known.
    """
    known = _known(entry, paths)
    if known is None or outputs.overwrite:
        return
    files = [file for file in (entry.image, entry.npz) if file is not None]
    if any(same_place(known, file) or _are_alike(known, file) for file in files) or find(known) is None:
        return
    raise ImageError(
        f"{files[0]} has the name of another image, {known}, whose results are in {paths.segmasks}. Give "
        "each dataset folders of its own, or rename one of the images; --overwrite replaces the other's results"
    )


def note_source(entry: ImageEntry, paths: WorkspacePaths) -> None:
    """Remember which file the results that are about to be made are of.

    Raises
    ------
    StorageError
        It cannot be written.
    """
    file = entry.image if entry.image is not None else entry.npz
    assert file is not None, "an entry has an image or an NPZ file"
    location = _location(entry, paths)
    content = json.dumps({"file": _portable(file, paths)}, ensure_ascii=False) + "\n"
    if read_if_there(location) != content.encode():
        make_folder(join(paths.jobs, "sources"))
        write_text(location, content)


def _location(entry: ImageEntry, paths: WorkspacePaths) -> Location:
    return join(paths.jobs, "sources", f"{entry.name}.json")


def _known(entry: ImageEntry, paths: WorkspacePaths) -> Location | None:
    """Return the file that results are known to be of."""
    content = read_if_there(_location(entry, paths))
    try:
        found = None if content is None else parsed_json(content)
    except ValueError:
        return None
    file = found.get("file") if isinstance(found, dict) else None
    if not isinstance(file, str):
        return None
    return file if is_uri(file) or Path(file).is_absolute() else join(_root(paths), *file.split("/"))


def _root(paths: WorkspacePaths) -> Location:
    """Return the folder that holds the dataset."""
    jobs = paths.jobs
    return jobs.parent if isinstance(jobs, Path) else jobs.rpartition("/")[0]


def _portable(file: Location, paths: WorkspacePaths) -> str:
    """Return a file's place in the dataset, which may be copied or moved with it; of one elsewhere, its place."""
    folder, name = (file.parent, file.name) if isinstance(file, Path) else (file.rpartition("/")[0], base_name(file))
    if same_place(folder, paths.images) and same_place(_parent(paths.images), _root(paths)):
        return f"{base_name(paths.images)}/{name}"
    return str(file)


def _parent(folder: Location) -> Location:
    return folder.parent if isinstance(folder, Path) else folder.rpartition("/")[0]


def _are_alike(one: Location, other: Location) -> bool:
    """Tell whether two files hold the same, as far as samples tell."""
    try:
        return _sample(one) == _sample(other)
    except StorageError:  # one is not there, or a folder
        return False


def _sample(location: Location) -> tuple[int, str]:
    reader = open_ranges(location)
    try:
        size = reader.size
        starts = [part * max(size - _SAMPLE, 0) // (_SAMPLES - 1) for part in range(_SAMPLES)]
        found = hashlib.blake2b()
        for piece in reader.read([(start, min(_SAMPLE, size)) for start in sorted(set(starts))]):
            found.update(piece)
    finally:
        reader.close()
    return size, found.hexdigest()
