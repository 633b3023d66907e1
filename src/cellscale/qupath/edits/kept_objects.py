"""What a person gave to objects that cellscale made: classes, names, measurements and the like."""

from collections.abc import Collection
from dataclasses import dataclass, field

import numpy as np

from cellscale.qupath.java.java_reader import UnreadableError
from cellscale.qupath.java.java_types import Content, Encoded, JavaArray, JavaEnum, JavaObject, Value

__all__ = ["CHILDREN", "Kept", "NameLists", "children_of", "class_name", "kept_of", "object_id", "region_of"]

CHILDREN = 5
"""Where the children of an object begin among its contents, after their number."""

_DTYPES = {"$FloatList": ">f4", "$DoubleList": ">f8"}
_COUNT = 4
_NO_PROBABILITY = (b"", bytes.fromhex("7ff8000000000000"))


@dataclass(slots=True)
class Kept:
    """What a person gave to an object."""

    name: Value = None
    color: Value = None
    metadata: tuple[tuple[Value, ...], tuple[Value, ...]] = ((), ())
    """Keys and values."""
    measurements: dict[str, float] = field(default_factory=dict)
    children: list[JavaObject] = field(default_factory=list)
    locked: Value = None
    """Whether the object is locked: a java.lang.Boolean, or None for no."""
    path_class: JavaObject | None = None
    probability: bytes = b""
    """Of the class, as it is in the file; empty for none."""

    @property
    def is_class_alone(self) -> bool:
        """Whether it is a class and nothing else."""
        return self.path_class is not None and not self._is_more and self.probability in _NO_PROBABILITY

    def __bool__(self) -> bool:
        """Return whether there is anything."""
        return self.path_class is not None or self._is_more

    @property
    def _is_more(self) -> bool:
        return any((self.name, self.color, self.metadata[0], self.measurements, self.children, self.locked))


class NameLists:
    """Lists of strings, most of which are shared by many objects."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[JavaObject, tuple[str, ...]]] = {}

    def strings(self, thing: Value) -> tuple[str, ...]:
        """Return the strings of a list of any class."""
        if not isinstance(thing, JavaObject):
            raise UnreadableError("measurements without names")
        if id(thing) not in self._known:
            inner = thing.values.get("list", thing.values.get("a"))
            names = self.strings(inner) if isinstance(inner, JavaObject) else _strings(inner, thing)
            self._known[id(thing)] = (thing, names)
        return self._known[id(thing)][1]


def _strings(array: object, thing: JavaObject) -> tuple[str, ...]:
    items = array.values if isinstance(array, JavaArray) and isinstance(array.values, tuple) else thing.contents
    return tuple(item for item in items if isinstance(item, str))


def children_of(thing: JavaObject) -> list[JavaObject]:
    """Return the children of an object."""
    contents = _contents(thing)
    found = contents[CHILDREN : CHILDREN + _children(contents)]
    return [child for child in found if isinstance(child, JavaObject)]


def object_id(thing: JavaObject) -> str:
    """Return the id of an object, empty if it has none."""
    keys, values = _metadata(_contents(thing)[2])
    return next((str(value) for key, value in zip(keys, values, strict=True) if key == "Object ID"), "")


def region_of(thing: JavaObject) -> Value:
    """Return the region of interest of an object that has one."""
    contents = _contents(thing)
    return _value(contents[CHILDREN + _children(contents) + 2])


def kept_of(thing: JavaObject, written: Collection[str], lists: NameLists) -> Kept:
    """Return what a person gave to a cell or detection.

    Parameters
    ----------
    thing
        A cell or detection.
    written
        Names of the measurements that are not a person's.
    lists
        Knows the lists of names of the objects before.

    Raises
    ------
    UnreadableError
        The object has another layout.
    """
    contents = _contents(thing)
    count = _children(contents)
    locked, path_class, _, probability = contents[CHILDREN + count : CHILDREN + count + 4]
    keys, values = _metadata(contents[2])
    others = [(key, value) for key, value in zip(keys, values, strict=True) if key != "Object ID"]
    is_locked = isinstance(locked, JavaObject) and bool(locked.values.get("value"))
    return Kept(
        name=_value(contents[0]),
        color=_value(contents[1]),
        metadata=(tuple(key for key, _ in others), tuple(value for _, value in others)),
        measurements=_measurements(_value(contents[3]), written, lists),
        children=[child for child in contents[CHILDREN : CHILDREN + count] if isinstance(child, JavaObject)],
        locked=_value(locked) if is_locked else None,
        path_class=path_class if isinstance(path_class, JavaObject) else None,
        probability=probability[:8] if isinstance(probability, bytes) else b"",
    )


def class_name(path_class: Value) -> str:
    """Return the name of a class as QuPath shows it."""
    if not isinstance(path_class, JavaObject):
        return "Unclassified"
    parent, name = path_class.values.get("parentClass"), path_class.values.get("name")
    return f"{class_name(parent)}: {name}" if isinstance(parent, JavaObject) else str(name)


def _measurements(thing: Value, written: Collection[str], lists: NameLists) -> dict[str, float]:
    if not isinstance(thing, JavaObject):
        return {}
    dtype = next((dtype for end, dtype in _DTYPES.items() if thing.java_class.name.endswith(end)), None)
    values = thing.values.get("values")
    if dtype is None or not isinstance(values, JavaArray) or not isinstance(values.values, Encoded):
        raise UnreadableError(f"measurements are kept in a {thing.java_class.name}")
    names = lists.strings(_value(thing.values.get("names")))
    numbers = np.frombuffer(values.values.data, dtype, offset=_COUNT)
    # A list that QuPath has not closed yet may have room for more.
    places = [place for place, name in enumerate(names[: len(numbers)]) if name not in written]
    return {names[place]: float(numbers[place]) for place in places}


def _contents(thing: JavaObject) -> list[Content]:
    if not isinstance(thing.contents, list) or len(thing.contents) < CHILDREN:
        raise UnreadableError(f"a {thing.java_class.name} has another layout")
    return thing.contents


def _children(contents: list[Content]) -> int:
    """Return the number of children."""
    count = contents[CHILDREN - 1]
    if not isinstance(count, bytes) or len(count) < _COUNT:
        raise UnreadableError("an object has another layout")
    found = int.from_bytes(count[:_COUNT], "big")
    if not all(isinstance(child, JavaObject) for child in contents[CHILDREN : CHILDREN + found]):
        raise UnreadableError("an object has children that are none")
    return found


def _metadata(thing: Content) -> tuple[tuple[Value, ...], tuple[Value, ...]]:
    if not isinstance(thing, JavaObject):
        return (), ()
    arrays = [item.values for item in thing.contents if isinstance(item, JavaArray)]
    if len(arrays) != 2 or not all(isinstance(array, tuple) for array in arrays):
        raise UnreadableError("an object has metadata of another layout")
    keys, values = arrays
    return keys, values  # type: ignore[return-value]


def _value(content: object) -> Value:
    if content is None or isinstance(content, str | JavaObject | JavaArray | JavaEnum):
        return content
    raise UnreadableError("a number was found where an object was expected")
