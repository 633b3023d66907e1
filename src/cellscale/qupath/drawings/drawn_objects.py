"""Annotations and TMA cores in an image's data file; cells and other detections are passed over."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache
from mmap import ACCESS_READ, mmap

import shapely

from cellscale.errors import ImageError
from cellscale.qupath.edits.edited_objects import forget, of_one_object
from cellscale.qupath.edits.kept_objects import CHILDREN, children_of, class_name, object_id, region_of
from cellscale.qupath.entry.data_bytes import chunks_of
from cellscale.qupath.java.java_reader import JavaReader, UnreadableError
from cellscale.qupath.java.java_types import JavaClass, JavaObject, Value
from cellscale.qupath.java.serial_classes import ANNOTATION, KNOWN
from cellscale.qupath.objects.roi_geometry import roi_geometry
from cellscale.storage.scratch import scratch_file
from cellscale.storage.uri import Location, find

__all__ = ["DrawnObject", "drawn_objects"]

_CORE = "qupath.lib.objects.TMACoreObject"
_PASSED_OVER = frozenset(
    f"qupath.lib.objects.{name}" for name in ("PathCellObject", "PathDetectionObject", "PathTileObject")
)
_PLACE = JavaObject(JavaClass("", 0, 0))
_PROBABILITY = 8
"""Bytes of the probability of a class, after which a core says whether it is missing."""


@dataclass(frozen=True, slots=True)
class DrawnObject:
    """An annotation or a TMA core."""

    is_core: bool
    object_id: str
    title: str | None
    path_class: str | None
    color: tuple[int, int, int] | None
    geometry: shapely.Geometry | None
    """In pixels; None for points and lines."""
    is_missing: bool
    """Whether it is a core of which a person said that it is not there."""
    inside: str
    """Name of the core that holds it."""


def drawn_objects(data: Location) -> tuple[DrawnObject, ...]:
    """Return what a person drew, in the order of the file: what is inside of something comes after it.

    Raises
    ------
    ImageError
        The file cannot be read.
    StorageError
        It cannot be opened.
    """
    entry = find(data)
    return () if entry is None or not entry.size else _read(data, entry.size, entry.marker)


@lru_cache(maxsize=4)  # one image's regions are asked for several times
def _read(data: Location, size: int, marker: str) -> tuple[DrawnObject, ...]:
    del size, marker  # they tell files of the same place apart
    with scratch_file(None, chunks_of(data)) as file, closing(mmap(file.fileno(), 0, access=ACCESS_READ)) as content:
        try:
            return tuple(_drawn(_root(content), ""))
        except UnreadableError as error:
            raise ImageError(
                f"the annotations cannot be read from {data}: {error}; save the project in QuPath again, or export "
                "them as GeoJSON"
            ) from error


def _root(content: mmap) -> JavaObject:
    alone = of_one_object(len(content))

    def passed_over(reader: JavaReader, thing: JavaObject, first: int) -> Value:
        if thing.java_class.name not in _PASSED_OVER:
            return thing
        forget(reader, first, alone)
        return _PLACE

    for thing in JavaReader(content, KNOWN, passed_over).read():
        if isinstance(thing, JavaObject) and thing.java_class.name.endswith(".PathObjectHierarchy"):
            root = thing.values.get("rootObject")
            if isinstance(root, JavaObject):
                return root
    raise UnreadableError("it has no objects")


def _drawn(parent: JavaObject, core: str) -> Iterator[DrawnObject]:
    for child in children_of(parent):
        if child is _PLACE:
            continue
        found = _object(child, core)
        if found is not None:
            yield found
        inside = found.title or "TMA core" if found is not None and found.is_core else ""
        yield from _drawn(child, inside)


def _object(thing: JavaObject, core: str) -> DrawnObject | None:
    if thing.java_class.name not in (ANNOTATION.name, _CORE):
        return None
    after, contents = CHILDREN + len(children_of(thing)), thing.contents
    assert isinstance(contents, list)  # `children_of` has looked
    path_class, rest = contents[after + 1], contents[after + 3]
    is_core = thing.java_class.name == _CORE
    title = contents[0] if isinstance(contents[0], str) else None
    return DrawnObject(
        is_core=is_core,
        object_id=object_id(thing),
        title=title,
        path_class=class_name(path_class) if isinstance(path_class, JavaObject) else None,
        color=_color(path_class),
        geometry=roi_geometry(region_of(thing)),
        is_missing=is_core and isinstance(rest, bytes) and any(rest[_PROBABILITY:]),
        inside=core,
    )


def _color(path_class: object) -> tuple[int, int, int] | None:
    packed = path_class.values.get("colorRGB") if isinstance(path_class, JavaObject) else None
    number = packed.values.get("value") if isinstance(packed, JavaObject) else None
    if not isinstance(number, int):
        return None
    return (number >> 16) & 255, (number >> 8) & 255, number & 255
