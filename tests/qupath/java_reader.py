"""A reader of the Java Object Serialization Stream Protocol, version 2, written for the tests alone.

It shares no code with the writer, resolves handles itself and refuses anything that is not a well-formed stream.
"""

import struct
from dataclasses import dataclass, field
from typing import Any

BASE_HANDLE = 0x7E0000
PRIMITIVES = {"B": "b", "C": "H", "D": "d", "F": "f", "I": "i", "J": "q", "S": "h", "Z": "?"}


@dataclass
class JavaClass:
    """A class descriptor."""

    name: str
    uid: int
    flags: int
    fields: list[tuple[str, str, str | None]]
    parent: "JavaClass | None" = None

    @property
    def lineage(self):
        """The class and its parents, topmost first."""
        return [*(self.parent.lineage if self.parent else []), self]


@dataclass(eq=False)
class JavaObject:
    """An object: field values by name, and what its classes wrote on their own (bytes and objects in order)."""

    java_class: JavaClass
    fields: dict[str, Any] = field(default_factory=dict)
    content: list[Any] = field(default_factory=list)

    @property
    def name(self):
        """The class name."""
        return self.java_class.name


@dataclass(eq=False)
class JavaArray:
    """An array."""

    java_class: JavaClass
    values: list[Any] | bytes


@dataclass(frozen=True)
class JavaEnum:
    """An enum constant."""

    java_class: str
    constant: str


def decode_modified_utf8(data: bytes) -> str:
    """Decode Java's modified UTF-8: two bytes for NUL, surrogate pairs as twice three bytes."""
    assert b"\x00" not in data
    units = []
    at = 0
    while at < len(data):
        first = data[at]
        if first < 0x80:
            units.append(first)
            at += 1
        elif first >> 5 == 0b110:
            units.append((first & 0x1F) << 6 | data[at + 1] & 0x3F)
            at += 2
        else:
            assert first >> 4 == 0b1110, "four-byte sequences do not exist in modified UTF-8"
            units.append((first & 0x0F) << 12 | (data[at + 1] & 0x3F) << 6 | data[at + 2] & 0x3F)
            at += 3
    return struct.pack(f">{len(units)}H", *units).decode("utf-16-be", "surrogatepass")


class JavaReader:
    """Reads the contents of one stream."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0
        self.handles: list[Any] = []

    def read_stream(self) -> list[Any]:
        """Return all top-level contents: bytes for block data, else objects; the stream must end exactly."""
        assert self.take(4) == b"\xac\xed\x00\x05", "no Java serialization header"
        contents = []
        while self.at < len(self.data):
            contents.append(self.read_content())
        return contents

    def take(self, count: int) -> bytes:
        """Return the next bytes."""
        piece = self.data[self.at : self.at + count]
        assert len(piece) == count, f"the stream ends inside a value at byte {self.at}"
        self.at += count
        return piece

    def unpack(self, form: str) -> Any:
        """Return the next big-endian value."""
        return struct.unpack(">" + form, self.take(struct.calcsize(">" + form)))[0]

    def assign(self, thing: Any) -> int:
        """Give ``thing`` the next handle."""
        self.handles.append(thing)
        return len(self.handles) - 1

    def read_content(self) -> Any:
        """Return the next object or block of bytes."""
        start, tag = self.at, self.unpack("B")
        readers = {
            0x70: lambda: None,
            0x71: self.read_reference,
            0x73: self.read_object,
            0x74: lambda: self.read_string("H"),
            0x75: self.read_array,
            0x77: lambda: self.take(self.unpack("B")),
            0x7A: lambda: self.take(self.unpack("i")),
            0x7C: lambda: self.read_string("Q"),
            0x7E: self.read_enum,
        }
        assert tag in readers, f"tag {tag:#x} at byte {start}"
        return readers[tag]()

    def read_reference(self) -> Any:
        """Return what an earlier handle stands for."""
        return self.handles[self.unpack("i") - BASE_HANDLE]

    def read_string(self, length: str) -> str:
        """Return a string."""
        slot = self.assign(None)
        self.handles[slot] = decode_modified_utf8(self.take(self.unpack(length)))
        return self.handles[slot]

    def read_utf(self) -> str:
        """Return a string that takes no handle."""
        return decode_modified_utf8(self.take(self.unpack("H")))

    def read_class(self) -> JavaClass | None:
        """Return a class descriptor."""
        tag = self.unpack("B")
        if tag == 0x70:
            return None
        if tag == 0x71:
            known = self.read_reference()
            assert isinstance(known, JavaClass)
            return known
        assert tag == 0x72, f"tag {tag:#x} where a class descriptor belongs"
        described = JavaClass(self.read_utf(), self.unpack("q"), 0, [])
        self.assign(described)
        described.flags = self.unpack("B")
        for _ in range(self.unpack("H")):
            kind, name = chr(self.unpack("B")), self.read_utf()
            described.fields.append((kind, name, self.read_content() if kind in "L[" else None))
        assert self.unpack("B") == 0x78, "class annotations are not expected"
        described.parent = self.read_class()
        return described

    def read_enum(self) -> JavaEnum:
        """Return an enum constant."""
        java_class = self.read_class()
        slot = self.assign(None)
        self.handles[slot] = JavaEnum(java_class.name, self.read_content())
        return self.handles[slot]

    def read_array(self) -> JavaArray:
        """Return an array."""
        array = JavaArray(self.read_class(), [])
        self.assign(array)
        count, kind = self.unpack("i"), array.java_class.name[1]
        if kind == "B":
            array.values = self.take(count)
        elif kind in PRIMITIVES:
            size = struct.calcsize(">" + PRIMITIVES[kind])
            array.values = list(struct.unpack(f">{count}{PRIMITIVES[kind]}", self.take(count * size)))
        else:
            array.values = [self.read_content() for _ in range(count)]
        return array

    def read_object(self) -> JavaObject:
        """Return an object, with all that its classes wrote."""
        thing = JavaObject(self.read_class())
        self.assign(thing)
        if thing.java_class.flags & 0x04:
            thing.content = self.read_annotation()
            return thing
        for java_class in thing.java_class.lineage:
            for kind, name, _ in java_class.fields:
                thing.fields[name] = self.unpack(PRIMITIVES[kind]) if kind in PRIMITIVES else self.read_content()
            if java_class.flags & 0x01:
                thing.content += self.read_annotation()
        return thing

    def read_annotation(self) -> list[Any]:
        """Return contents up to the end mark; neighbouring blocks of bytes are joined as Java readers see them."""
        content: list[Any] = []
        while self.data[self.at] != 0x78:
            piece = self.read_content()
            if isinstance(piece, bytes) and content and isinstance(content[-1], bytes):
                content[-1] += piece
            else:
                content.append(piece)
        self.at += 1
        return content


def read_java(data: bytes) -> list[Any]:
    """Return the top-level contents of a serialization stream."""
    return JavaReader(data).read_stream()
