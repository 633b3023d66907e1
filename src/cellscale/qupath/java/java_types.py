"""Values of a Java serialization stream, as a program describes them before they are written."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

__all__ = [
    "BLOCK_DATA",
    "ENUM",
    "EXTERNALIZABLE",
    "SERIALIZABLE",
    "WRITE_METHOD",
    "Content",
    "Encoded",
    "JavaArray",
    "JavaClass",
    "JavaEnum",
    "JavaObject",
    "Several",
    "Slot",
    "Value",
]

SERIALIZABLE = 0x02
"""Flags of a class whose fields alone are written."""

WRITE_METHOD = 0x03
"""Flags of a class that adds content of its own after its fields."""

BLOCK_DATA = 0x08
"""Bit of the flags of a class that says where the content of its objects ends."""

EXTERNALIZABLE = 0x0C
"""Flags of a class that writes nothing but content of its own."""

ENUM = 0x12
"""Flags of an enum."""


@dataclass(frozen=True, slots=True, eq=False)
class JavaClass:
    """The description of a class, as its instances' streams carry it."""

    name: str
    """Binary name, such as ``java.lang.Integer`` or ``[F``."""

    uid: int
    """serialVersionUID."""

    flags: int
    """How instances are written."""

    fields: tuple[tuple[str, str], ...] = ()
    """Name and type signature (``I``, ``[F``, ``Ljava/lang/String;``) of each field in the order of the stream."""

    parent: "JavaClass | None" = None
    """Nearest serializable superclass."""


@dataclass(frozen=True, slots=True, eq=False)
class JavaEnum:
    """A constant of an enum."""

    java_class: JavaClass
    constant: str


@dataclass(frozen=True, slots=True)
class Encoded:
    """Bytes that take the place of a value, of a field or of an array's length and elements."""

    data: bytes | memoryview

    handles: int = 0
    """Number of handles that the objects inside take."""


@dataclass(frozen=True, slots=True)
class Slot:
    """An open place of a template, to be filled as by :class:`Encoded`."""

    name: str
    handles: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class JavaArray:
    """An array of objects, or of anything with its length and elements already encoded."""

    java_class: JavaClass
    values: "tuple[Value, ...] | Encoded | Slot"


@dataclass(frozen=True, slots=True, eq=False)
class JavaObject:
    """An object. Written a second time, the same instance becomes a reference to the first."""

    java_class: JavaClass

    values: "Mapping[str, Value | int | float]" = field(default_factory=dict)
    """Value of each field of the class and its superclasses."""

    contents: "Iterable[Content]" = ()
    """What the class writes on its own; may be a generator that is drained while the object is written."""

    inherited: "Mapping[JavaClass, Iterable[Content]]" = field(default_factory=dict)
    """The same of superclasses that write something."""


@dataclass(frozen=True, slots=True, eq=False)
class Several:
    """Contents that are written one after another in its place; may be a generator."""

    contents: "Iterable[Content]"


Value: TypeAlias = str | JavaObject | JavaArray | JavaEnum | Encoded | Slot | None
"""Whatever a reference may point to. Equal strings are written once."""

Content: TypeAlias = bytes | Value | Several
"""Bytes are block data, which the stream joins and cuts into blocks."""
