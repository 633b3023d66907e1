"""A reader of the Java Object Serialization Stream Protocol, version 2, for files of any origin.

What it returns `JavaStream` can write again, whatever the classes are: a stream describes its own classes.
"""

import struct
from collections.abc import Callable
from mmap import mmap
from typing import TypeVar

from cellscale.qupath.java.java_types import (
    BLOCK_DATA,
    Content,
    Encoded,
    JavaArray,
    JavaClass,
    JavaEnum,
    JavaObject,
    Several,
    Value,
)

__all__ = ["BrokenStreamError", "JavaReader", "UnreadableError"]

_MAGIC = b"\xac\xed\x00\x05"
_FIRST_HANDLE = 0x7E0000
_SIZES = {"B": ("b", 1), "C": ("H", 2), "D": ("d", 8), "F": ("f", 4), "I": ("i", 4), "J": ("q", 8), "S": ("h", 2)}
_PRIMITIVES = {**_SIZES, "Z": ("?", 1)}
_NULL, _REFERENCE, _CLASS, _END = 0x70, 0x71, 0x72, 0x78
_PROXY_CLASS = 0x7D
_TAGS = frozenset(range(0x70, 0x7F)) - {_END}
_EXTERNAL, _OWN_CONTENTS = 0x04, 0x01
_T = TypeVar("_T")


class UnreadableError(ValueError):
    """The stream is damaged, or has something that cannot be taken over into another."""


class BrokenStreamError(UnreadableError):
    """The stream is damaged: no program can read it."""


class JavaReader:
    """Reads one stream.

    Parameters
    ----------
    data
        The whole stream.
    known
        Classes that are returned in place of equal descriptions.
    replaced
        Is given every object once it is complete, with the number of the handles before it, and returns what stands
        for it from then on.
    """

    def __init__(
        self,
        data: bytes | mmap,
        known: tuple[JavaClass, ...],
        replaced: Callable[["JavaReader", JavaObject, int], Value],
    ) -> None:
        self._data = data
        self._at = 0
        self._known = {java_class.name: java_class for java_class in known}
        self._replaced = replaced
        self.handles: list[object] = []
        """What may be referred to; None for what may not be any more."""
        self._readers: dict[int, Callable[[], Content]] = {
            _NULL: lambda: None,
            _REFERENCE: self._reference,
            0x73: self._object,
            0x74: lambda: self._string(">H"),
            0x75: self._array,
            0x77: lambda: self._take(self._number(">B")),
            0x7A: lambda: self._take(self._number(">i")),
            0x7C: lambda: self._string(">Q"),
            0x7E: self._enum,
        }

    def read(self) -> list[Content]:
        """Return the top-level contents.

        Raises
        ------
        BrokenStreamError
            The stream is damaged.
        UnreadableError
            It has what cannot be taken over.
        """
        try:
            return self._contents()
        except UnreadableError:
            raise
        except (struct.error, ArithmeticError, LookupError, RecursionError, TypeError, ValueError) as error:
            raise BrokenStreamError(f"it is damaged at byte {self._at}") from error

    def _contents(self) -> list[Content]:
        if self._take(4) != _MAGIC:
            raise BrokenStreamError("it is no stream of Java objects")
        contents: list[Content] = []
        while self._at < len(self._data):
            contents.append(self._content())
        return contents

    def _take(self, count: int) -> bytes:
        piece = self._data[self._at : self._at + count]
        if count < 0 or len(piece) != count:
            raise BrokenStreamError(f"it ends inside a value at byte {self._at}")
        self._at += count
        return piece

    def _number(self, form: str) -> int:
        (value,) = struct.unpack(form, self._take(struct.calcsize(form)))
        return int(value)

    def _content(self) -> Content:
        tag = self._data[self._at]
        reader = self._readers.get(tag)
        if reader is None:
            raise BrokenStreamError(f"byte {self._at} begins something of an unknown kind ({tag:#x})")
        self._at += 1
        return reader()

    def _value(self) -> Value:
        value = self._content()
        if isinstance(value, bytes | Several):
            raise BrokenStreamError(f"a number was found before byte {self._at}, an object expected")
        return value

    def _reference(self) -> Value:
        found = self._referred()
        if isinstance(found, str | JavaObject | JavaArray | JavaEnum):
            return found
        raise BrokenStreamError(f"the reference before byte {self._at} leads to no object")

    def _referred(self) -> object:
        place = self._number(">i") - _FIRST_HANDLE
        if not 0 <= place < len(self.handles):
            raise BrokenStreamError(f"the reference before byte {self._at} leads nowhere")
        if self.handles[place] is None:  # it was let go
            raise UnreadableError(f"the reference before byte {self._at} leads to what should be of one object alone")
        return self.handles[place]

    def _text(self, length: str) -> str:
        data = self._take(self._number(length))
        if data.isascii() and b"\x00" not in data:
            return data.decode("ascii")
        units = data.replace(b"\xc0\x80", b"\x00").decode("utf-8", "surrogatepass")
        return units.encode("utf-16-be", "surrogatepass").decode("utf-16-be", "surrogatepass")

    def _string(self, length: str) -> str:
        text = self._text(length)
        self.handles.append(text)
        return text

    def _class(self) -> JavaClass | None:
        tag = self._take(1)[0]
        if tag == _NULL:
            return None
        if tag == _REFERENCE:
            known = self._referred()
            if isinstance(known, JavaClass):
                return known
        if tag == _PROXY_CLASS:
            raise UnreadableError(f"the class before byte {self._at} is a proxy")
        if tag != _CLASS:
            raise BrokenStreamError(f"no class is described before byte {self._at}")
        return self._described()

    def _described(self) -> JavaClass:
        name, uid = self._text(">H"), self._number(">q")
        place = len(self.handles)
        self.handles.append(None)
        flags, fields = self._number(">B"), []
        for _ in range(self._number(">H")):
            kind, field = chr(self._take(1)[0]), self._text(">H")
            signature = self._value() if kind in "L[" else kind
            fields.append((field, str(signature)))
        if (tag := self._take(1)[0]) in _TAGS:
            raise UnreadableError(f"the class {name} has annotations")
        if tag != _END:
            raise BrokenStreamError(f"byte {self._at - 1} begins something of an unknown kind ({tag:#x})")
        described = JavaClass(name, uid, flags, tuple(fields), self._class())
        known = self._known.get(name)
        self.handles[place] = known if known is not None and _are_equal(known, described) else described
        return _of(self.handles[place], JavaClass)

    def _enum(self) -> JavaEnum:
        java_class = _of(self._class(), JavaClass)
        place = len(self.handles)
        self.handles.append(None)
        constant = JavaEnum(java_class, _of(self._value(), str))
        self.handles[place] = constant
        return constant

    def _array(self) -> JavaArray:
        java_class = _of(self._class(), JavaClass)
        kind = java_class.name[1]
        place = len(self.handles)
        self.handles.append(None)
        if kind in _PRIMITIVES:
            count = self._number(">i")
            size = struct.pack(">i", count)
            array = JavaArray(java_class, Encoded(size + self._take(count * _PRIMITIVES[kind][1])))
        else:
            array = JavaArray(java_class, tuple(self._value() for _ in range(self._number(">i"))))
        self.handles[place] = array
        return array

    def _object(self) -> Value:
        java_class = _of(self._class(), JavaClass)
        place = len(self.handles)
        values: dict[str, Value | int | float] = {}
        contents: list[Content] = []
        inherited: dict[JavaClass, list[Content]] = {}
        thing = JavaObject(java_class, values, contents, inherited)
        self.handles.append(thing)
        if java_class.flags & _EXTERNAL:
            if not java_class.flags & BLOCK_DATA:
                raise UnreadableError(f"the class {java_class.name} does not say where its objects end")
            self._annotation(contents)
        else:
            for one in _lineage(java_class):
                self._fields(one, values)
                if one.flags & _OWN_CONTENTS:
                    self._annotation(contents if one is java_class else inherited.setdefault(one, []))
        self.handles[place] = standing = self._replaced(self, thing, place)
        return standing

    def _fields(self, java_class: JavaClass, values: dict[str, Value | int | float]) -> None:
        for name, signature in java_class.fields:
            if name in values:
                raise UnreadableError(f"the class {java_class.name} has two fields {name}")
            if signature in _PRIMITIVES:
                form, size = _PRIMITIVES[signature]
                (values[name],) = struct.unpack(">" + form, self._take(size))
            else:
                values[name] = self._value()

    def _annotation(self, contents: list[Content]) -> None:
        """Read what a class writes on its own; neighbouring blocks of numbers are joined."""
        while self._data[self._at] != _END:
            content = self._content()
            if isinstance(content, bytes) and contents and isinstance(contents[-1], bytes):
                contents[-1] += content
            else:
                contents.append(content)
        self._at += 1


def _of(value: object, kind: type[_T]) -> _T:
    if not isinstance(value, kind):
        raise BrokenStreamError(f"a {type(value).__name__} was found where {kind.__name__} was expected")
    return value


def _lineage(java_class: JavaClass) -> list[JavaClass]:
    """Return a class and its parents, topmost first."""
    above = [] if java_class.parent is None else _lineage(java_class.parent)
    return [*above, java_class]


def _are_equal(one: JavaClass, other: JavaClass) -> bool:
    return (one.uid, one.flags, one.fields, one.parent) == (other.uid, other.flags, other.fields, other.parent)
