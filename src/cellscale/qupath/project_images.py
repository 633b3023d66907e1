"""How images enter a project, and what a person did to their entries stays."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple, TypeAlias
from urllib.parse import unquote
from uuid import NAMESPACE_URL, uuid5

from cellscale.cells.text import Dialect
from cellscale.images.info import ImageInfo
from cellscale.qupath.entry.entry_record import merged
from cellscale.qupath.entry.image_server import entry_name, server_builder
from cellscale.qupath.gson import Json, JsonObject
from cellscale.qupath.project_file import entries
from cellscale.qupath.project_image import ProjectImage
from cellscale.qupath.uris import are_one_file, file_name, java_uri, path_of_uri
from cellscale.storage.places import folded
from cellscale.storage.uri import local_path

__all__ = ["ListedEntries", "listed_entries", "number_images", "still_fit", "with_images", "without_last_change"]

_KEPT = ("name", "channels", "pixelCalibration")
"""Metadata that a person may change in QuPath; the rest is what the file says."""

_UNCALIBRATED = {
    "pixelWidth": {"value": 1.0, "unit": "px"},
    "pixelHeight": {"value": 1.0, "unit": "px"},
    "zSpacing": {"value": 1.0, "unit": "z-slice"},
    "timeUnit": "SECONDS",
    "timepoints": [],
}
"""What QuPath says of pixels of which nobody has told the size."""


class _Source(NamedTuple):
    """What an entry's pixels are read from."""

    uri: str
    args: tuple[str, ...]


_Name: TypeAlias = tuple[str, tuple[str, ...]]
"""File name and arguments of a source."""


class ListedEntries(NamedTuple):
    """What a project lists, by what it is looked for: a small part of its file."""

    known: Mapping[_Source, int]
    by_name: Mapping[_Name, Sequence[tuple[_Source, int]]]
    numbers: frozenset[int]
    """Of all entries."""
    last: int
    """The highest number that an entry has or had, 0 where there is none."""


def listed_entries(project: JsonObject) -> ListedEntries:
    """Return what a project lists; it takes as long as the list is, and all questions about one image do not."""
    known = {_source(builder): _entry_id(entry) for entry, builder in _plain_entries(project)}
    by_name = defaultdict(list)
    for source, number in known.items():
        by_name[_name(source)].append((source, number))
    numbers = frozenset(map(_entry_id, entries(project)))
    return ListedEntries(known, dict(by_name), numbers, max([_integer(project.get("lastID")), *numbers]))


def number_images(
    listed: ListedEntries, infos: Sequence[ImageInfo], *, spare: int = 0, taken: Collection[int] = ()
) -> tuple[ProjectImage, ...]:
    """Return the place of each image: the entry that shows it, or the next free number.

    An entry shows an image if it has the image's URI, or if its own file is gone and had the image's name.

    Parameters
    ----------
    listed
        What the project lists.
    infos
        Different images.
    spare
        Numbers to leave free.
    taken
        Numbers that no further image gets.
    """
    next_id = max([listed.last, *taken]) + 1 + spare
    placed = []
    for info, number in zip(infos, _shown_by(listed, infos), strict=True):
        placed.append(ProjectImage(number or next_id, info))
        next_id += not number
    return tuple(placed)


def still_fit(listed: ListedEntries, images: Sequence[ProjectImage]) -> bool:
    """Return whether images that were placed in a project some time ago can still have these places."""
    shown_by = _shown_by(listed, [image.info for image in images])
    return all(
        number == image.entry_id or (not number and image.entry_id not in listed.numbers)
        for image, number in zip(images, shown_by, strict=True)
    )


def with_images(
    project: JsonObject,
    images: Sequence[ProjectImage],
    dialect: Dialect,
    written: Callable[[int], Sequence[JsonObject]],
) -> JsonObject:
    """Return a project with these images added, or brought up to date where they are in it already.

    The entries of other images are the same objects as before.

    Parameters
    ----------
    project
        The project as it is.
    images
        As :func:`number_images` placed them.
    dialect
        Of the QuPath version that new entries follow.
    written
        Gives, for the number of an entry, the metadata that cellscale wrote before: they may be replaced.
    """
    listed: list[Json] = [*entries(project)]
    places = {_entry_id(entry): place for place, entry in enumerate(entries(project))}
    for image in images:
        place = places.get(image.entry_id)
        entry = None if place is None else listed[place]
        if place is not None and isinstance(entry, dict):
            builder = _updated_builder(
                entry.get("serverBuilder"), server_builder(image.info), written(image.entry_id)
            )
            listed[place] = {**entry, "serverBuilder": builder}
        else:
            listed.append(_new_entry(image, dialect))
    numbers = [image.entry_id for image in images]
    return {
        **project,
        "lastID": max([_integer(project.get("lastID")), *places, *numbers]),
        "images": listed,
    }


def without_last_change(
    project: JsonObject, extended: JsonObject, images: Sequence[ProjectImage]
) -> list[ProjectImage]:
    """Return those of some images that changed a project, but the last of them.

    Parameters
    ----------
    project
        The project before.
    extended
        What :func:`with_images` returned.
    images
        Those that were added.
    """
    before, after = ({_entry_id(entry): entry for entry in entries(one)} for one in (project, extended))
    return [image for image in images if before.get(image.entry_id) != after.get(image.entry_id)][:-1]


def _new_entry(image: ProjectImage, dialect: Dialect) -> JsonObject:
    name = entry_name(image.info)
    entry: JsonObject = {
        "serverBuilder": server_builder(image.info),
        "entryID": image.entry_id,
        "randomizedName": str(uuid5(NAMESPACE_URL, name)),
        "imageName": name,
        "metadata": {},
    }
    return entry | {"tags": []} if dialect.conventions.tags else entry


def _updated_builder(old: Json, new: JsonObject, written: Sequence[JsonObject]) -> JsonObject:
    """Return what opens an image now, with the names, colours and pixel size that it was given in QuPath."""
    before, now = old.get("metadata") if isinstance(old, dict) else None, new["metadata"]
    if not isinstance(old, dict) or not isinstance(before, dict) or not isinstance(now, dict):
        return new
    kept = {
        key: merged(before[key], now[key], [item[key] for item in written if key in item])
        for key in _KEPT
        if key in before and before[key] != _UNCALIBRATED
    }
    uri = old["uri"] if are_one_file(str(old.get("uri")), str(new["uri"])) else new["uri"]
    return old | new | {"uri": uri, "metadata": before | now | kept}


def _shown_by(listed: ListedEntries, infos: Sequence[ImageInfo]) -> list[int]:
    """Return the number of the entry that shows each image, or 0."""
    sources = [_source(server_builder(info)) for info in infos]
    unknown = [source for source in sources if source not in listed.known]
    # A project has thousands of files: those of other names need not be looked for.
    names = {_name(source) for source in unknown}
    alike = {source: number for name in names for source, number in listed.by_name.get(name, ())}
    stores = {_bucket(java_uri(info.uri)) for info in infos if info.uri is not None and local_path(info.uri) is None}
    found = {
        source: number
        for source in unknown
        for other, number in alike.items()
        if source.args == other.args and are_one_file(source.uri, other.uri)
    }
    lost = _lost_images({source: number for source, number in alike.items() if source not in sources}, stores)
    return [listed.known.get(source) or found.get(source) or lost.pop(_name(source), 0) for source in sources]


def _lost_images(known: Mapping[_Source, int], stores: Collection[str]) -> dict[_Name, int]:
    """Return, by file name, the entries whose files are not there any more; those with the same name are left out."""
    lost = defaultdict(list)
    for source, number in known.items():
        if _is_gone(source.uri, stores):
            lost[_name(source)].append(number)
    return {name: numbers[0] for name, numbers in lost.items() if len(numbers) == 1}


def _name(source: _Source) -> _Name:
    return folded(file_name(source.uri)), source.args


def _is_gone(uri: str, stores: Collection[str]) -> bool:
    """Return whether a file was deleted or moved; of an object, whether all images are elsewhere now.

    Parameters
    ----------
    uri
        Of an entry.
    stores
        Buckets that images are in now, whose objects are not looked for one by one.
    """
    path = path_of_uri(uri)
    return path is not None and not path.exists() and _bucket(uri) not in stores


def _bucket(uri: str) -> str:
    """Return the first folder of a URI."""
    return uri.removeprefix("file:").lstrip("/").partition("/")[0]


def _plain_entries(project: JsonObject) -> Iterator[tuple[JsonObject, JsonObject]]:
    """Yield entries that show a whole file as it is, with their builders: not rotated or cropped."""
    for entry in entries(project):
        builder = entry.get("serverBuilder")
        if isinstance(builder, dict) and builder.get("builderType") == "uri" and _entry_id(entry):
            yield entry, builder


def _source(builder: JsonObject) -> _Source:
    args = builder.get("args")
    return _Source(_spelled(str(builder.get("uri"))), tuple(map(str, args)) if isinstance(args, list) else ())


@lru_cache(maxsize=2**15)
def _spelled(uri: str) -> str:
    """Return the one spelling of a URI that sources are compared by."""
    path = path_of_uri(uri)
    if path is not None:
        return java_uri(path)
    scheme, found, rest = uri.partition("://")
    return java_uri(f"{scheme}://{unquote(rest)}") if found else uri


def _entry_id(entry: JsonObject) -> int:
    return _integer(entry.get("entryID"))


def _integer(value: Json) -> int:
    return value if isinstance(value, int) else 0
