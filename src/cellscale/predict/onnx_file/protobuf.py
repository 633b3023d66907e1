"""The wire format of protocol buffers, as far as ONNX files need it."""

from collections.abc import Iterator, Sequence
from typing import BinaryIO, TypeAlias, TypeVar

__all__ = ["FileMessage", "Message", "decoded_integers", "encoded_field", "field_parts", "message_fields"]

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
"""Wire types."""


def encoded_field(number: int, value: int | bytes | str) -> bytes:
    """Return the encoding of a field that holds a non-negative integer, bytes or text."""
    if isinstance(value, int):
        return _encoded(number << 3 | VARINT) + _encoded(value)
    content = value.encode() if isinstance(value, str) else value
    return _encoded(number << 3 | BYTES) + _encoded(len(content)) + content


def field_parts(number: int, parts: Sequence[bytes | memoryview]) -> list[bytes | memoryview]:
    """Return the encoding of a field that holds a message, in parts: large ones are copied when they are joined."""
    return [_encoded(number << 3 | BYTES) + _encoded(sum(map(len, parts))), *parts]


_SMALL = 4096
"""Bytes up to which a part of a file is read as a whole when it is looked at."""


class FileMessage:
    """A message in a file, of which only that is read which is looked at; weights are skipped.

    Parameters
    ----------
    file
        Open for reading, for as long as the message is looked at.
    begin, end
        The message's first byte, and the byte after its last.
    """

    def __init__(self, file: BinaryIO, begin: int, end: int) -> None:
        self._file, self._begin, self._end = file, begin, end

    def __len__(self) -> int:
        return self._end - self._begin

    def __getitem__(self, part: slice) -> "memoryview | FileMessage":
        first, last, _ = part.indices(len(self))
        found = FileMessage(self._file, self._begin + first, self._begin + max(first, last))
        return found if len(found) > _SMALL else memoryview(bytes(found))

    def __bytes__(self) -> bytes:
        self._file.seek(self._begin)
        return self._file.read(len(self))


Message: TypeAlias = memoryview | FileMessage
"""A message in memory or in a file."""

M = TypeVar("M", memoryview, Message)


def message_fields(message: M) -> Iterator[tuple[int, M, M]]:
    """Yield the number, the payload and the whole encoding of each field of a message.

    Raises
    ------
    ValueError
        The message is damaged.
    """
    position = 0
    while position < len(message):
        begin = position
        tag, position = _decoded(message, position)
        kind = tag & 7
        if kind == VARINT:
            end = _decoded(message, position)[1]
        elif kind == BYTES:
            size, position = _decoded(message, position)
            end = position + size
        elif kind in {FIXED32, FIXED64}:
            end = position + (4 if kind == FIXED32 else 8)
        else:
            raise ValueError(f"wire type {kind} is not in use")
        if end > len(message):
            raise ValueError("the message is cut off")
        yield tag >> 3, message[position:end], message[begin:end]
        position = end


def decoded_integers(payload: memoryview) -> list[int]:
    """Return the non-negative integers of a field's payload: one, or several that are packed.

    Raises
    ------
    ValueError
        The payload is damaged.
    """
    found, position = [], 0
    while position < len(payload):
        value, position = _decoded(payload, position)
        found.append(value)
    return found


def _decoded(message: Message, position: int) -> tuple[int, int]:
    """Return the variable-length integer at ``position``, and the position after it."""
    value = 0
    for index, byte in enumerate(bytes(message[position : position + 10])):
        value |= (byte & 127) << (7 * index)
        if byte < 128:
            return value, position + index + 1
    raise ValueError("the message is cut off")


def _encoded(value: int) -> bytes:
    """Return an integer in variable length."""
    encoded = bytearray()
    while value > 127:
        encoded.append(value & 127 | 128)
        value >>= 7
    return bytes([*encoded, value])
