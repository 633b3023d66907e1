"""How images enter a project, and what a person did to their entries stays."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, TypeAlias
from uuid import NAMESPACE_URL, uuid5

from cellscale.cells.text import Dialect
from cellscale.images.info import ImageInfo
from cellscale.qupath.gson import Json, JsonObject
from cellscale.qupath.image_server import entry_name, server_builder, server_channels, shown_name
from cellscale.qupath.project_file import entries
from cellscale.qupath.uris import file_name, java_uri, path_of_uri

__all__ = ["ProjectImage", "entry_numbers", "number_images", "still_fit", "with_images"]

_KEPT = ("name", "channels")
"""Metadata that a person changes in QuPath and that no measurement depends on."""


@dataclass(frozen=True, slots=True)
class ProjectImage:
    """An image and its place in a project."""

    entry_id: int
    """Number of its entry, which names its folder of data."""

    info: ImageInfo

    former: tuple[str, ...] = ()
    """Names of its channels when its data were last written: where the project has them, no person chose them."""


class _Source(NamedTuple):
    """What an entry's pixels are read from."""

    uri: str
    args: tuple[str, ...]


_Name: TypeAlias = tuple[str, tuple[str, ...]]
"""File name and arguments of a source."""


def entry_numbers(project: JsonObject) -> frozenset[int]:
    """Return the numbers of a project's entries."""
    return frozenset(map(_entry_id, entries(project)))


def number_images(project: JsonObject, infos: Sequence[ImageInfo], *, spare: int = 0) -> tuple[ProjectImage, ...]:
    """Return the place of each image: the entry that shows it, or the next free number.

    An entry shows an image if it has the image's URI, or if its own file is gone and had the image's name.

    Parameters
    ----------
    project
        The project as it is.
    infos
        Different images.
    spare
        Numbers to leave free.
    """
    next_id = max([_integer(project.get("lastID")), *map(_entry_id, entries(project))]) + 1 + spare
    placed = []
    for info, number in zip(infos, _shown_by(project, infos), strict=True):
        placed.append(ProjectImage(number or next_id, info))
        next_id += not number
    return tuple(placed)


def still_fit(project: JsonObject, images: Sequence[ProjectImage]) -> bool:
    """Return whether images that were placed in a project some time ago can still have these places."""
    taken = set(map(_entry_id, entries(project)))
    shown_by = _shown_by(project, [image.info for image in images])
    return all(
        number == image.entry_id or (not number and image.entry_id not in taken)
        for image, number in zip(images, shown_by, strict=True)
    )


def with_images(project: JsonObject, images: Sequence[ProjectImage], dialect: Dialect) -> JsonObject:
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
    """
    listed: list[Json] = [*entries(project)]
    places = {_entry_id(entry): place for place, entry in enumerate(entries(project))}
    for image in images:
        place = places.get(image.entry_id)
        entry = None if place is None else listed[place]
        if place is not None and isinstance(entry, dict):
            builder = _updated_builder(entry.get("serverBuilder"), image)
            listed[place] = {**entry, "serverBuilder": builder}
        else:
            listed.append(_new_entry(image, dialect))
    numbers = [image.entry_id for image in images]
    return {
        **project,
        "lastID": max([_integer(project.get("lastID")), *places, *numbers]),
        "images": listed,
    }


def _new_entry(image: ProjectImage, dialect: Dialect) -> JsonObject:
    name = entry_name(image.info)
    entry: JsonObject = {
        "serverBuilder": server_builder(image.info),
        "entryID": image.entry_id,
        "randomizedName": str(uuid5(NAMESPACE_URL, name)),
        "imageName": name,
        "metadata": {},
    }
    return entry if dialect is Dialect.V0_5 else entry | {"tags": []}


def _updated_builder(old: Json, image: ProjectImage) -> JsonObject:
    """Return what opens an image now, with the names and colours that its channels were given in QuPath."""
    new = server_builder(image.info)
    before, now = old.get("metadata") if isinstance(old, dict) else None, new["metadata"]
    if not isinstance(old, dict) or not isinstance(before, dict) or not isinstance(now, dict):
        return new
    kept = {key: before[key] for key in _KEPT if key in before}
    if _length(kept.get("channels")) != _length(now["channels"]):
        kept.pop("channels", None)
    elif "channels" in kept:
        kept["channels"] = _kept_channels(kept["channels"], now["channels"], image)
    return old | new | {"metadata": before | now | kept}


def _kept_channels(before: Json, now: Json, image: ProjectImage) -> Json:
    """Return channels as they are in a project, but for names that no person gave and that are no longer in use."""
    assert isinstance(before, list)
    assert isinstance(now, list)
    channels = server_channels(image.info)
    former = image.former[: len(channels)] if len(image.former) == len(image.info.channels) else ("",) * len(channels)
    kept: list[Json] = []
    for old, new, channel, last in zip(before, now, channels, former, strict=True):
        own = channel.name if channel.written is None else channel.written
        ours = (shown_name(own, channel.index), last)
        if isinstance(old, dict) and isinstance(new, dict) and old.get("name") in ours:
            kept.append({**old, "name": new["name"]})
        else:
            kept.append(old)
    return kept


def _shown_by(project: JsonObject, infos: Sequence[ImageInfo]) -> list[int]:
    """Return the number of the entry that shows each image, or 0."""
    sources = [_source(server_builder(info)) for info in infos]
    known = {_source(builder): _entry_id(entry) for entry, builder in _plain_entries(project)}
    lost = _lost_images(known, sources)
    return [known.get(source) or lost.pop((file_name(source.uri), source.args), 0) for source in sources]


def _lost_images(known: Mapping[_Source, int], wanted: Sequence[_Source]) -> dict[_Name, int]:
    """Return, by file name, the entries whose files are not there any more; those with the same name are left out."""
    lost = defaultdict(list)
    present, names = set(wanted), {(file_name(source.uri), source.args) for source in wanted}
    for source, number in known.items():
        # A project has thousands of files: those of other names need not be looked for.
        name = file_name(source.uri), source.args
        if name in names and source not in present and _is_gone(source.uri, wanted):
            lost[name].append(number)
    return {name: numbers[0] for name, numbers in lost.items() if len(numbers) == 1}


def _is_gone(uri: str, present: Sequence[_Source]) -> bool:
    """Return whether a file was deleted or moved; of an object, whether all images are elsewhere now."""
    path = path_of_uri(uri)
    if path is not None:
        return not path.exists()
    scheme = uri.partition(":")[0]
    return all(source.uri.partition(":")[0] != scheme for source in present)


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
    return uri if path is None else java_uri(path)


def _entry_id(entry: JsonObject) -> int:
    return _integer(entry.get("entryID"))


def _integer(value: Json) -> int:
    return value if isinstance(value, int) else 0


def _length(value: Json) -> int:
    return len(value) if isinstance(value, list) else 0
