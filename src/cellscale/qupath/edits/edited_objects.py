"""A data file that a person worked on: what in it is theirs, and where our objects were."""

import re
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from mmap import mmap

from cellscale.qupath.edits.kept_objects import CHILDREN, Kept, NameLists, class_name, kept_of, object_id, region_of
from cellscale.qupath.edits.read_regions import region_key
from cellscale.qupath.java.java_reader import BrokenStreamError, JavaReader, UnreadableError
from cellscale.qupath.java.java_types import Content, JavaArray, JavaClass, JavaEnum, JavaObject, Value
from cellscale.qupath.java.serial_classes import CELL, DETECTION, KNOWN, ROOT

__all__ = ["Edited", "forget", "is_whole", "of_one_object", "read_edited"]

_PREFIX = "qupath.lib.objects."
_CLASSES = frozenset({CELL.name, DETECTION.name})
_PLURALS = {
    "PathAnnotationObject": "Annotations",
    "PathCellObject": "Cells",
    "PathDetectionObject": "Detections",
    "PathTileObject": "Tiles",
    "TMACoreObject": "TMA cores",
}
_DRAWN = ("PathAnnotationObject", "TMACoreObject")
_REGIONS = "qupath.lib.roi."
_OF_ONE_OBJECT = (
    "qupath.lib.objects.PathCellObject",
    "qupath.lib.objects.PathDetectionObject",
    "qupath.lib.objects.MetadataMap",
    "qupath.lib.measurements.",
)
"""Classes whose objects are part of one other alone, so that nothing refers to them later."""

_MOST_OTHERS = 200_000
"""Objects of other programs that are taken over: they are held in memory."""

_LARGE = 200 * 2**20
"""Bytes of a file whose regions do not all fit in memory."""

_ID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_PLACE = JavaClass("", 0, 0)


@dataclass(slots=True)
class Edited:
    """A data file, read."""

    contents: list[Content]
    """All of it, without our objects."""

    root: JavaObject
    """The object that holds all others."""

    kept: dict[str, Kept | None] = field(default_factory=dict)
    """For each of our objects that is there, by its id now, what a person gave to it."""

    parents: dict[str, JavaObject] = field(default_factory=dict)
    """The annotation or TMA core that holds it, if it is not the root."""

    gone: list[Kept] = field(default_factory=list)
    """What a person gave to our objects that are not there any more."""

    ours: int = 0
    """Objects that cellscale made, whether they are there or not."""

    reshaped: int = 0
    """Our objects whose outline is not the one that we gave to them."""

    image_type: str = ""
    """As QuPath's summary has it."""

    others: Counter[str] = field(default_factory=Counter)
    """Number of a person's own objects by what QuPath calls them."""

    annotation_classes: Counter[str] = field(default_factory=Counter)
    """Number of annotations by class."""

    detection_classes: Counter[str] = field(default_factory=Counter)
    """Number of a person's own detections by class."""

    drawn: dict[str, JavaObject] = field(default_factory=dict)
    """Annotations and TMA cores by their ids."""

    made: set[str] = field(default_factory=set)
    """Ids of those that cellscale made of regions, and that are not counted as a person's."""


def read_edited(
    data: bytes | mmap, ids: Collection[str], outlines: Mapping[tuple[int, int], str], written: Collection[str]
) -> Edited:
    """Read a data file.

    Parameters
    ----------
    data
        The file.
    ids
        Of our objects as they are now.
    outlines
        The same by the numbers of their outlines, by which objects are known that have other ids.
    written
        Names of the measurements that cellscale writes and wrote; others are a person's.

    Raises
    ------
    UnreadableError
        It cannot be read, or has something that cannot be taken over.
    """
    return _Reading(data, ids, outlines, written).edited()


def is_whole(data: bytes | mmap) -> bool:
    """Tell whether a data file is not damaged, as far as can be told; what another version wrote is not."""
    try:
        read_edited(data, (), {}, ())
    except BrokenStreamError:
        return False
    except UnreadableError:
        return True
    return True


class _Reading:
    """Sorts the objects while they are read."""

    def __init__(
        self,
        data: bytes | mmap,
        ids: Collection[str],
        outlines: Mapping[tuple[int, int], str],
        written: Collection[str],
    ) -> None:
        self._reader = JavaReader(data, KNOWN, self._sorted)
        self._ids, self._outlines, self._written = ids, outlines, written
        self._lists = NameLists()
        self._edited = Edited([], JavaObject(_PLACE))
        self._classes: dict[str, JavaObject] = {}
        self._held = 0
        self._alone = of_one_object(len(data))

    def edited(self) -> Edited:
        contents = self._reader.read()
        if contents[:1] != [b"\x00\x13Data file version 3"] or not isinstance(contents[1], str):
            raise UnreadableError("its format is another one")
        hierarchies = [
            thing
            for thing in contents
            if isinstance(thing, JavaObject) and thing.java_class.name.endswith(".PathObjectHierarchy")
        ]
        root = hierarchies[0].values.get("rootObject") if len(hierarchies) == 1 else None
        if not isinstance(root, JavaObject):
            raise UnreadableError("it has no objects")
        edited = self._edited
        edited.contents, edited.root = contents, root
        types = [thing.constant for thing in contents if isinstance(thing, JavaEnum)]
        edited.image_type = types[0] if types else "UNSET"
        return edited

    def _sorted(self, reader: JavaReader, thing: JavaObject, first: int) -> Value:
        """Take note of an object, and let go of those that are ours."""
        name = thing.java_class.name
        if not name.startswith(_PREFIX) or not isinstance(thing.contents, list):
            return thing
        children = self._without_ours(thing)
        standing = self._ours(thing) if name in _CLASSES else None
        if standing is None:
            self._count(thing)
            if name != ROOT.name:
                self._edited.parents |= dict.fromkeys(children, thing)
            return thing
        forget(reader, first, self._alone)
        return standing

    def _ours(self, thing: JavaObject) -> JavaObject | None:
        """Return what stands for an object of ours; None for one of another program."""
        edited, found = self._edited, object_id(thing)
        key = region_key(region_of(thing))
        now = found if found in self._ids else None if key is None else self._outlines.get(key)
        if now is None and not is_ours(found):
            return None
        edited.ours += 1
        kept = kept_of(thing, self._written, self._lists)
        if kept.path_class is not None:
            kept.path_class = self._classes.setdefault(class_name(kept.path_class), kept.path_class)
        if now is None or now in edited.kept:
            if kept:
                edited.gone.append(kept)
            return JavaObject(_PLACE)
        edited.reshaped += key not in self._outlines
        edited.kept[now] = kept or None
        return JavaObject(_PLACE, {"id": now})

    def _without_ours(self, parent: JavaObject) -> list[str]:
        """Take our objects out of what holds them, and return their ids."""
        contents = parent.contents
        assert isinstance(contents, list)  # `_sorted` has looked
        places = [item for item in contents if isinstance(item, JavaObject) and item.java_class is _PLACE]
        if not places:
            return []
        contents[:] = [item for item in contents if not (isinstance(item, JavaObject) and item.java_class is _PLACE)]
        count = int.from_bytes(contents[CHILDREN - 1][:4], "big") - len(places)
        contents[CHILDREN - 1] = count.to_bytes(4, "big") + contents[CHILDREN - 1][4:]
        return [str(place.values["id"]) for place in places if "id" in place.values]

    def _count(self, thing: JavaObject) -> None:
        name = thing.java_class.name.removeprefix(_PREFIX)
        if name not in _PLURALS:
            return
        if name in _DRAWN:
            found = object_id(thing)
            self._edited.drawn[found] = thing
            if is_ours(found):
                self._edited.made.add(found)
                return
        self._held += 1
        if self._held > _MOST_OTHERS:
            raise UnreadableError(f"it has more than {_MOST_OTHERS:,} objects that cellscale did not make")
        self._edited.others[_PLURALS[name]] += 1
        path_class = next(
            (
                item
                for item in thing.contents
                if isinstance(item, JavaObject) and item.java_class.name.endswith("PathClass")
            ),
            None,
        )
        if name == "PathAnnotationObject":
            self._edited.annotation_classes[class_name(path_class)] += 1
        elif name != "TMACoreObject":
            self._edited.detection_classes[class_name(path_class)] += 1


def is_ours(found: str) -> bool:
    """Tell whether an object's id is one that cellscale gave: of a version of UUIDs that no other program gives."""
    return found[14:15] == "8"


def of_one_object(size: int) -> tuple[str, ...]:
    """Return what the names of classes begin with whose objects belong to one other, in a file of so many bytes."""
    # A region may belong to several objects, such as a cell and the annotation that was made of it.
    return _OF_ONE_OBJECT if size < _LARGE else (*_OF_ONE_OBJECT, _REGIONS)


def forget(reader: JavaReader, first: int, alone: tuple[str, ...]) -> None:
    """Let go of what belongs to one object alone.

    Parameters
    ----------
    reader
        Has just read the object.
    first
        Number of the handles before it.
    alone
        What `of_one_object` returned for the file.
    """
    for place in range(first, len(reader.handles)):
        thing = reader.handles[place]
        if (
            (isinstance(thing, JavaArray) and (thing.java_class.name != "[B" or _REGIONS in alone))
            or (isinstance(thing, str) and _ID.fullmatch(thing) is not None)
            or (isinstance(thing, JavaObject) and thing.java_class.name.startswith(alone))
        ):
            reader.handles[place] = None
