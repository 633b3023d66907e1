"""Whether compressed pixels are the numbers that were compressed, which labels have to be.

Some codecs always change numbers, some never, and some as their settings were, which their data tell. Formats: JPEG
(ITU-T T.81, table B.1), JPEG 2000 (ITU-T T.800, A.6.1), LERC (Esri, Apache 2.0), WebP (RFC 9649), JPEG XL (ISO/IEC
18181-1, D.3).
"""

import struct
from collections.abc import Callable
from typing import Literal, TypeAlias

__all__ = ["Change", "change_of"]

Change: TypeAlias = Literal["none", "certain", "possible"]
"""Whether numbers were changed."""

_SOI, _LOSSLESS_FRAMES = b"\xff\xd8", {0xC3, 0xC7, 0xCB, 0xCF, 0xF7}
"""Markers of JPEG: frames of the lossless process, and of JPEG-LS."""

_HALF = 0.5
"""Largest error that LERC may make of whole numbers without changing them."""


def change_of(compression: int, data: bytes) -> Change:
    """Return whether a compression changed the numbers of some pixels.

    Parameters
    ----------
    compression
        Number of the compression, as in TIFF.
    data
        The beginning of the compressed pixels.
    """
    look = _LOOKS.get(compression)
    if look is None:
        return "none"
    try:
        return look(data)
    except (IndexError, ValueError, struct.error):  # an odd one, or damaged, which whoever decodes it tells
        return "certain" if look is _jpeg else "possible"


def _jpeg(data: bytes) -> Change:
    place = data.index(_SOI) + 2
    while True:
        marker = data[place + 1]
        if marker in _LOSSLESS_FRAMES:
            return "none"
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return "certain"
        place += 2 + struct.unpack_from(">H", data, place + 2)[0]


def _jpeg_2000(data: bytes) -> Change:
    start = data.index(b"\xff\x4f\xff\x51")
    transformation = data[data.index(b"\xff\x52", start) + 13]
    return "none" if transformation == 1 else "certain"


def _lerc(data: bytes) -> Change:
    if not data.startswith(b"Lerc2 "):
        return "possible"  # compressed once more, or of the first version
    (version,) = struct.unpack_from("<i", data, 6)
    integers = 5 if version < 4 else 6  # rows, columns, (depth,) valid pixels, size of a block and of all, type
    start = 10 + (4 if version >= 3 else 0) + 4 * (integers + 1)
    (error,) = struct.unpack_from("<d", data, start)
    return "certain" if error > _HALF else "none"


def _webp(data: bytes) -> Change:
    return "certain" if b"VP8 " in data[12:] and b"VP8L" not in data[12:64] else "none"


def _jpeg_xl(data: bytes) -> Change:
    start = 0 if data.startswith(b"\xff\x0a") else data.index(b"\xff\x0a", data.index(b"jxl", 12))
    bits = _Bits(data[start + 2 :])
    _skip_size(bits)
    if bits.take(1):  # all is as it is by default, which is for looking at
        return "certain"
    if bits.take(1):  # orientation, preview, animation
        return "possible"
    is_float = bits.take(1)
    if bits.take(2) == 3:
        bits.take(6)
    bits.take(4 if is_float else 0)
    bits.take(1)
    if bits.take(2):  # further channels
        return "possible"
    return "certain" if bits.take(1) else "none"


def _skip_size(bits: "_Bits") -> None:
    is_small = bits.take(1)

    def skip() -> None:
        bits.take(5 if is_small else (9, 13, 18, 30)[bits.take(2)])

    skip()
    if bits.take(3) == 0:
        skip()


class _Bits:
    """The bits of bytes, the lowest of each first."""

    def __init__(self, data: bytes) -> None:
        self._number = int.from_bytes(data[:64], "little")
        self._left = 8 * min(len(data), 64)

    def take(self, count: int) -> int:
        """Return the next bits as a number."""
        if count > self._left:
            raise ValueError("too few bytes")
        found = self._number & ((1 << count) - 1)
        self._number >>= count
        self._left -= count
        return found


def _unknown(_: bytes) -> Change:
    return "possible"


_LOOKS: dict[int, Callable[[bytes], Change]] = {
    **dict.fromkeys((6, 7, 33007, 34892), _jpeg),
    **dict.fromkeys((33003, 33005, 34712), _jpeg_2000),
    **dict.fromkeys((22610, 34934), _unknown),  # JPEG XR
    **dict.fromkeys((50002, 52546), _jpeg_xl),
    34887: _lerc,
    50001: _webp,
}
