"""A QuPath project on disk or in an object store."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import NamedTuple, TypeAlias

from cellscale.cells.text import Dialect
from cellscale.errors import StorageError
from cellscale.images.info import ImageInfo
from cellscale.qupath.entry.entry_check import is_still_of
from cellscale.qupath.entry.entry_data import PROJECT_FILE, entry_folder
from cellscale.qupath.entry.entry_record import EntryRecord
from cellscale.qupath.gson import Json, JsonObject, Written, to_json, written
from cellscale.qupath.project_file import entries, new_project, parse_project, with_location
from cellscale.qupath.project_image import ProjectImage
from cellscale.qupath.project_images import (
    ListedEntries,
    listed_entries,
    number_images,
    still_fit,
    with_images,
    without_last_change,
)
from cellscale.qupath.uris import java_uri
from cellscale.storage.atomic import write_bytes
from cellscale.storage.content import stamp_of
from cellscale.storage.uri import Location, exists, join, listing, make_folder, read_if_there

__all__ = ["entry_ids", "place_images", "update_project"]


def entry_ids(folder: Location) -> frozenset[int]:
    """Return the numbers of a project's entries; none where there is no project.

    Raises
    ------
    StorageError
        There is a project file that is damaged or cannot be read.
    """
    return _listed(folder).numbers


def place_images(
    folder: Location,
    infos: Sequence[ImageInfo],
    *,
    spare: int = 0,
    number: int | None = None,
    taken: Collection[int] = (),
) -> tuple[ProjectImage, ...]:
    """Return the place of each image in a project, which need not exist; nothing is written.

    Parameters
    ----------
    folder
        Folder of the project.
    infos
        Different images.
    spare
        Numbers to leave free for images that others place at the same time.
    number
        That the first image had before, which it gets again where the project lists neither.
    taken
        Numbers of images that are about to enter the project, which no other gets.

    Raises
    ------
    StorageError
        There is a project file that is damaged or cannot be read.
    """
    listed = _listed(folder)
    placed = number_images(listed, infos, spare=spare, taken=taken)
    first = placed[0]
    if first.entry_id in listed.numbers:
        return placed
    if number is not None and number not in listed.numbers and number not in taken:
        first = replace(first, entry_id=number)
    elif not listed.numbers and not exists(join(folder, PROJECT_FILE)) and not _may_be_of(folder, first):
        # The list was lost, perhaps: what another image has under its number is not overwritten.
        first = replace(first, entry_id=max([_last_folder(folder), *taken]) + 1 + spare)
    return (first, *placed[1:])


def _may_be_of(folder: Location, image: ProjectImage) -> bool:
    """Tell whether an image may have a folder of data: one that is not there, or that a killed run left of it."""
    server = join(folder, "data", str(image.entry_id), "server.json")
    return image.info.uri is None or not exists(server) or is_still_of(server, image.info.uri)


def _last_folder(folder: Location) -> int:
    """Return the highest number that a folder of an image's data has."""
    try:
        names = [entry.name for entry in listing(join(folder, "data"))]
    except StorageError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            return 0
        raise
    return max((int(name) for name in names if name.isdecimal()), default=0)


def update_project(folder: Location, images: Sequence[ProjectImage], dialect: Dialect, now: int) -> bool:
    """Add images to a project, or make a new one; other images, and what a person did to these, stay.

    Parameters
    ----------
    folder
        Folder of the project.
    images
        As :func:`place_images` placed them before their folders were written.
    dialect
        Of the QuPath version that a new project and new entries follow.
    now
        Milliseconds since 1970, for a new project.

    Returns
    -------
    Whether anything changed. The version before is in ``project.qpproj.backup`` then; of several images it is that
    before the last one that changed anything, as if they had come one by one.

    Raises
    ------
    StorageError
        The project file is damaged, cannot be read or written, or was changed since the images were placed.
    """
    location = join(folder, PROJECT_FILE)
    before = read_if_there(location)
    project = _project(location, before, dialect.conventions.writer, now)
    if not still_fit(listed_entries(project), images):
        raise StorageError(
            f"{location} was changed by another program while the images were measured: run the same command again"
        )

    def with_some(some: Sequence[ProjectImage]) -> JsonObject:
        return with_images(
            project, some, dialect, lambda number: EntryRecord.read(entry_folder(folder, number)).metadata
        )

    extended = with_some(images)
    if before is None:
        _begin_project(folder, dialect)
    elif extended == _parsed(before, location):
        return False
    last = _LAST[0]
    texts = {} if last is None else last.texts
    others = without_last_change(project, extended, images)
    if others:
        backup, texts = _content(with_some(others), texts)
        write_bytes(join(folder, f"{PROJECT_FILE}.backup"), backup)
    elif before is not None:
        write_bytes(join(folder, f"{PROJECT_FILE}.backup"), before)
    content, texts = _content(extended, texts)
    write_bytes(location, content)
    _remember(_Known(content, extended, texts))
    return True


class _Listed(NamedTuple):
    """What the file of a project lists."""

    location: str
    stamp: str
    entries: ListedEntries


_LAST_LISTED: list[_Listed | None] = [None]
"""Of the file of before: images of a run are placed one by one, and the list may have thousands of others."""


def _listed(folder: Location) -> ListedEntries:
    """Return what a project lists, read once as long as its file is the same; nothing where there is none."""
    location = join(folder, PROJECT_FILE)
    stamp = stamp_of(location)
    last = _LAST_LISTED[0]
    if stamp and last is not None and (last.location, last.stamp) == (str(location), stamp):
        return last.entries
    found = listed_entries(_project(location, read_if_there(location), version="", now=0))
    if stamp:
        # One assignment, so that other threads see all of it or nothing.
        _LAST_LISTED[0] = _Listed(str(location), stamp, found)
    return found


def _begin_project(folder: Location, dialect: Dialect) -> None:
    """Make what a new project of QuPath has besides its images: an empty folder, later also empty metadata."""
    make_folder(join(folder, "classifiers"))
    metadata = join(folder, "data", "metadata.json")
    if dialect.conventions.tags and not exists(metadata):
        make_folder(join(folder, "data"))
        write_bytes(metadata, b"{}")


def _project(location: Location, content: bytes | None, version: str, now: int) -> JsonObject:
    """Return the project as of the place where it is, or a new one."""
    uri = java_uri(location)
    if content is None:
        return new_project(uri, version, now)
    return with_location(_parsed(content, location), uri)


_Texts: TypeAlias = dict[int, tuple[Json, Written]]
"""By their identity entries, which are kept so that no other gets it, with their texts."""


class _Known(NamedTuple):
    """A project file that was read or written."""

    content: bytes
    project: JsonObject
    """The same, not to be changed."""
    texts: _Texts


_MOST_REMEMBERED = 16 * 2**20
"""Bytes of a file; its objects take several times as many."""

_LAST: list[_Known | None] = [None]
"""The file of before: a run that enters image after image need not read it anew while its bytes are the same."""


def _remember(known: _Known) -> None:
    # One assignment, so that other threads see all of it or nothing.
    _LAST[0] = known if len(known.content) <= _MOST_REMEMBERED else None


def _parsed(content: bytes, location: Location) -> JsonObject:
    """Return an existing project, not to be changed."""
    known = _LAST[0]
    if known is not None and known.content == content:
        return known.project
    project = parse_project(content, location)
    _remember(_Known(content, project, {}))
    return project


def _content(project: JsonObject, known: _Texts) -> tuple[bytes, _Texts]:
    """Return the file of a project, and the texts of its entries, of which some may be known."""
    texts = {id(entry): known.get(id(entry)) or (entry, written(entry, 2)) for entry in entries(project)}
    listed: list[Json] = [text for _, text in texts.values()]
    return to_json({**project, "images": listed}, pretty=True).encode(), texts
