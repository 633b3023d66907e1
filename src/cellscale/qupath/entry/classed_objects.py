"""Classes put into an image's data file, beside everything that a person did to it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from cellscale.errors import StorageError
from cellscale.qupath.edits.kept_objects import CHILDREN, class_name, object_id
from cellscale.qupath.entry.data_bytes import copy_file, digest_of, in_place_of, mapped
from cellscale.qupath.entry.entry_record import EntryRecord
from cellscale.qupath.gson import to_json
from cellscale.qupath.java.java_reader import JavaReader, UnreadableError
from cellscale.qupath.java.java_stream import JavaStream
from cellscale.qupath.java.java_types import Content, JavaObject, Value
from cellscale.qupath.java.serial_classes import CELL, DETECTION, KNOWN
from cellscale.qupath.objects.path_classes import PathClasses, class_parts
from cellscale.storage.atomic import write_bytes
from cellscale.storage.json_text import parsed_json
from cellscale.storage.uri import Location, find, join, read_if_there

__all__ = ["Classed", "Classes", "classify_objects"]

_DATA, _SUMMARY = "data.qpdata", "summary.json"
_NONE = "Unclassified"


@dataclass(frozen=True, slots=True, kw_only=True)
class Classes:
    """The classes that objects are to have."""

    given: Mapping[str, str]
    """Class by object id; objects without one are left out. ``A: B`` is a class B below A."""
    before: Mapping[str, str]
    """Those that were given the last time: other classes are a person's."""
    colours: Mapping[str, tuple[int, int, int]]
    """RGB by class."""
    replaces: bool = False
    """Whether classes that a person gave are replaced too."""


@dataclass(slots=True)
class Classed:
    """What became of the objects."""

    given: int = 0
    """Objects that have the class that they were to have."""
    left: int = 0
    """Objects that were to have another class than the one that a person gave them, and keep that."""
    kept: Location | None = None
    """The file as a person had saved it."""
    changed: bool = False
    counts: Counter[str] = field(default_factory=Counter)
    """Objects by class."""


def classify_objects(folder: Location, classes: Classes) -> Classed:
    """Give classes to the objects of an image's data file; all else in it stays.

    The objects are held in memory, some three times the size of the file.

    Parameters
    ----------
    folder
        Of the image in the project.
    classes
        What to give.

    Raises
    ------
    StorageError
        The file is not there, cannot be read, or was saved by QuPath meanwhile.
    """
    target = join(folder, _DATA)
    before = find(target)
    if before is None:
        raise StorageError(f"{target} is not there; cellscale measure makes it")
    record, old = EntryRecord.read(folder), digest_of(target)
    giving = _Giving(classes)
    try:
        contents = _read(target, giving)
    except UnreadableError as error:
        raise StorageError(f"no classes can be put into {target}, because {error}; it was left as it is") from error
    done = giving.done
    if not done.changed:
        return done
    if old is not None and old not in (*record.written, *record.carried):
        done.kept = join(folder, f"{_DATA}.edited-{old[:12]}")
        copy_file(target, done.kept)
    with in_place_of(target, before) as writer:
        JavaStream(writer).write(contents)
        # Not as written by us alone: a later run takes the classes over, as it does a person's.
        replace(record, carried=(writer.digest(), *record.carried[:1])).write(folder)
    _count(folder, done.counts)
    return done


def _read(target: Location, giving: "_Giving") -> list[Content]:
    with mapped(target) as data:
        if data is None:
            raise UnreadableError("it is empty")
        contents = JavaReader(data, KNOWN, giving.give).read()
    if contents[:1] != [b"\x00\x13Data file version 3"]:
        raise UnreadableError("its format is another one")
    return contents


class _Giving:
    """Gives classes to objects while they are read."""

    def __init__(self, classes: Classes) -> None:
        self._classes = classes
        self._made = PathClasses(classes.colours)
        self.done = Classed()

    def give(self, reader: JavaReader, thing: JavaObject, first: int) -> Value:
        """Give an object its class, if it is a cell or a detection."""
        del reader, first
        if thing.java_class.name in {CELL.name, DETECTION.name}:
            self._give(thing)
        return thing

    def _give(self, thing: JavaObject) -> None:
        asked, done, name = self._classes, self.done, object_id(thing)
        contents = thing.contents
        assert isinstance(contents, list)  # `object_id` has looked
        place = CHILDREN + int.from_bytes(contents[CHILDREN - 1][:4], "big") + 1
        there = contents[place]
        has = class_name(there) if isinstance(there, JavaObject) else None
        wanted = asked.given.get(name)
        if wanted is not None:
            wanted = ": ".join(class_parts(wanted))
        is_persons = has is not None and has != asked.before.get(name) and not asked.replaces
        if has == wanted or is_persons or (wanted is None and name not in asked.before):
            done.given += wanted is not None and has == wanted
            done.left += wanted is not None and has != wanted
        else:
            contents[place] = None if wanted is None else self._made.of(class_parts(wanted))
            has, done.changed = wanted, True
            done.given += wanted is not None
        done.counts[has or _NONE] += 1


def _count(folder: Location, counts: Counter[str]) -> None:
    """Bring the counts of classes in the summary up to date, which QuPath shows before it opens the image."""
    content = read_if_there(join(folder, _SUMMARY))
    try:
        found = None if content is None else parsed_json(content)
    except ValueError:  # QuPath makes it anew
        return
    if isinstance(found, dict) and isinstance(found.get("hierarchy"), dict):
        found["hierarchy"]["detectionClassificationCounts"] = dict(counts)
        write_bytes(join(folder, _SUMMARY), to_json(found, pretty=False).encode())
