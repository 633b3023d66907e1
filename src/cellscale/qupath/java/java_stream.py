"""A writer of the Java Object Serialization Stream Protocol, version 2.

The format is specified in chapter 6 of Oracle's "Java Object Serialization Specification".
"""

import struct
from collections import ChainMap
from collections.abc import Iterable, MutableMapping
from dataclasses import dataclass
from io import BytesIO
from typing import Protocol

from cellscale.qupath.java.java_types import (
    EXTERNALIZABLE,
    WRITE_METHOD,
    Content,
    Encoded,
    JavaArray,
    JavaClass,
    JavaEnum,
    JavaObject,
    Several,
    Slot,
    Value,
)

__all__ = ["JavaStream", "Sink", "Template", "modified_utf8"]

_MAGIC = b"\xac\xed\x00\x05"
_NULL, _REFERENCE, _CLASS, _OBJECT = b"\x70", b"\x71", b"\x72", b"\x73"
_STRING, _ARRAY, _BLOCK, _END = b"\x74", b"\x75", b"\x77", b"\x78"
_LONG_BLOCK, _LONG_STRING, _ENUM = b"\x7a", b"\x7c", b"\x7e"
_FIRST_HANDLE = 0x7E0000
_BLOCK_SIZE = 1024
_PRIMITIVES = {"B": ">b", "C": ">H", "D": ">d", "F": ">f", "I": ">i", "J": ">q", "S": ">h", "Z": ">?"}


@dataclass(frozen=True, slots=True)
class Template:
    """The bytes of an object, open where objects of its kind differ."""

    pieces: tuple[bytes, ...]
    """Bytes before the first slot, between slots, and after the last: one piece more than slots."""

    slots: tuple[Slot, ...]

    handles: int
    """Number of handles that each filled copy takes."""


class Sink(Protocol):
    """Whatever takes bytes."""

    def write(self, data: bytes | memoryview, /) -> object:
        """Take the next bytes."""


class JavaStream:
    """Writes values to a binary file and numbers them as a reader will.

    Parameters
    ----------
    file
        Takes the stream.
    """

    def __init__(self, file: Sink) -> None:
        self._file = file
        self._handles: MutableMapping[object, int] = {}
        self._next_handle = _FIRST_HANDLE
        self._block = bytearray()

    def write(self, contents: Iterable[Content]) -> None:
        """Write a whole stream of these top-level contents."""
        self._file.write(_MAGIC)
        self._write_contents(contents)

    def template(self, value: JavaObject) -> Template:
        """Encode an object without writing it, as if it followed what was written so far.

        Raises
        ------
        ValueError
            The object brings a class or a string that has not been written: copies would define it again.
        """
        stream = _TemplateStream(self._handles, self._next_handle)
        stream._write_value(value)
        return stream.finish()

    def _write_contents(self, contents: Iterable[Content]) -> None:
        self._write_inner(contents)
        self._end_block()

    def _write_inner(self, contents: Iterable[Content]) -> None:
        for content in contents:
            if isinstance(content, bytes):
                self._block += content
            elif isinstance(content, Several):
                self._write_inner(content.contents)
            else:
                self._end_block()
                self._write_value(content)

    def _end_block(self) -> None:
        """Write the block data gathered so far, in blocks of the size that Java's own writer uses."""
        for start in range(0, len(self._block), _BLOCK_SIZE):
            piece = self._block[start : start + _BLOCK_SIZE]
            size = len(piece)
            self._file.write(_BLOCK + bytes([size]) if size < 256 else _LONG_BLOCK + struct.pack(">i", size))
            self._file.write(bytes(piece))
        self._block.clear()

    def _write_value(self, value: Value) -> None:
        if value is None:
            self._file.write(_NULL)
        elif isinstance(value, Encoded | Slot):
            self._write_part(value)
        elif value in self._handles:
            self._write_reference(value)
        elif isinstance(value, str):
            self._write_string(value)
        elif isinstance(value, JavaObject):
            self._write_object(value)
        elif isinstance(value, JavaArray):
            self._write_array(value)
        else:
            self._write_enum(value)

    def _write_part(self, part: Encoded | Slot) -> None:
        if isinstance(part, Slot):
            raise TypeError(f"the slot {part.name!r} is open: it belongs in a template")
        self._file.write(part.data)
        self._next_handle += part.handles

    def _write_reference(self, thing: object) -> None:
        self._file.write(_REFERENCE + struct.pack(">i", self._handles[thing]))

    def _assign_handle(self, thing: object) -> None:
        self._handles[thing] = self._next_handle
        self._next_handle += 1

    def _write_string(self, text: str) -> None:
        self._assign_handle(text)
        data = modified_utf8(text)
        tag, length = (_STRING, ">H") if len(data) < 1 << 16 else (_LONG_STRING, ">Q")
        self._file.write(tag + struct.pack(length, len(data)) + data)

    def _write_class(self, java_class: JavaClass | None) -> None:
        if java_class is None:
            self._file.write(_NULL)
        elif java_class in self._handles:
            self._write_reference(java_class)
        else:
            self._describe_class(java_class)

    def _describe_class(self, java_class: JavaClass) -> None:
        self._file.write(_CLASS + _utf(java_class.name) + struct.pack(">q", java_class.uid))
        self._assign_handle(java_class)
        self._file.write(struct.pack(">BH", java_class.flags, len(java_class.fields)))
        for name, signature in java_class.fields:
            self._file.write(signature[0].encode("ascii") + _utf(name))
            if signature[0] in "L[":
                self._write_value(signature)
        self._file.write(_END)
        self._write_class(java_class.parent)

    def _write_enum(self, constant: JavaEnum) -> None:
        self._file.write(_ENUM)
        self._write_class(constant.java_class)
        self._assign_handle(constant)
        self._write_value(constant.constant)

    def _write_array(self, array: JavaArray) -> None:
        self._file.write(_ARRAY)
        self._write_class(array.java_class)
        self._assign_handle(array)
        if not isinstance(array.values, tuple):
            self._write_part(array.values)
            return
        self._file.write(struct.pack(">i", len(array.values)))
        for value in array.values:
            self._write_value(value)

    def _write_object(self, thing: JavaObject) -> None:
        self._file.write(_OBJECT)
        self._write_class(thing.java_class)
        self._assign_handle(thing)
        if thing.java_class.flags == EXTERNALIZABLE:
            self._write_contents(thing.contents)
            self._file.write(_END)
        else:
            self._write_fields(thing, thing.java_class)

    def _write_fields(self, thing: JavaObject, java_class: JavaClass) -> None:
        """Write the fields and what else a class writes, those of superclasses first."""
        if java_class.parent is not None:
            self._write_fields(thing, java_class.parent)
        for name, signature in java_class.fields:
            value = thing.values[name]
            if isinstance(value, int | float):
                self._file.write(struct.pack(_PRIMITIVES[signature], value))
            else:
                self._write_value(value)
        if java_class.flags == WRITE_METHOD:
            self._write_contents(thing.contents if java_class is thing.java_class else thing.inherited[java_class])
            self._file.write(_END)


class _TemplateStream(JavaStream):
    """Encodes one object into a template, on top of the handles that another stream has given."""

    def __init__(self, known: MutableMapping[object, int], next_handle: int) -> None:
        self._pieces = [BytesIO()]
        super().__init__(self._pieces[0])
        self._new: dict[object, int] = {}
        self._handles = ChainMap(self._new, known)
        self._next_handle = self._start = next_handle
        self._slots: list[Slot] = []

    def _write_part(self, part: Encoded | Slot) -> None:
        if isinstance(part, Encoded):
            super()._write_part(part)
            return
        self._slots.append(part)
        self._next_handle += part.handles
        self._file = BytesIO()
        self._pieces.append(self._file)

    def finish(self) -> Template:
        """Return what was encoded."""
        unknown = [thing for thing in self._new if isinstance(thing, str | JavaClass)]
        if unknown:
            raise ValueError(f"not yet in the stream, so that a template cannot refer to it: {unknown[0]!r}")
        pieces = tuple(piece.getvalue() for piece in self._pieces)
        return Template(pieces, tuple(self._slots), self._next_handle - self._start)


def modified_utf8(text: str) -> bytes:
    """Encode a string as Java does: UTF-8 of each UTF-16 unit, and NUL as two bytes."""
    if text.isascii() and "\x00" not in text:
        return text.encode("ascii")
    data = text.encode("utf-16-be", "surrogatepass")
    units = "".join(map(chr, struct.unpack(f">{len(data) // 2}H", data)))
    return units.encode("utf-8", "surrogatepass").replace(b"\x00", b"\xc0\x80")


def _utf(text: str) -> bytes:
    """Return a name with its length, as class descriptions hold it."""
    data = modified_utf8(text)
    return struct.pack(">H", len(data)) + data
