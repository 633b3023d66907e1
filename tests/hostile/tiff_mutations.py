"""TIFFs of which one or a few tags are others than their writer gave."""

import random
import re
import struct
from collections.abc import Callable
from functools import cache
from io import BytesIO
from pathlib import Path

import tifffile

from tests.images.ome_files import NAMES, planes

__all__ = ["tiff_mutation"]

PLANES = planes()
NUMBERS = (0, 1, 2, 3, 7, 8, 16, 32, 64, 255, 256, 32_767, 65_535, 2**16, 2**20, 2**31 - 1, 2**31, 2**32 - 1)
OME = {"axes": "CYX", "Channel": {"Name": list(NAMES)}, "PhysicalSizeX": 0.5, "PhysicalSizeY": 0.5}
GREY = {"photometric": "minisblack"}
WAYS = {
    "ome tiles": {"ome": True, "metadata": OME, "tile": (32, 32), "compression": "zlib", **GREY},
    "ome strips": {"ome": True, "metadata": OME, "rowsperstrip": 16, "predictor": True, "compression": "lzw", **GREY},
    "ome bigtiff": {"ome": True, "metadata": OME, "bigtiff": True, "byteorder": ">", **GREY},
    "imagej": {
        "imagej": True,
        "metadata": {"axes": "CYX", "unit": "um", "Labels": list(NAMES)},
        "resolution": (2, 2),
    },
    "imagej in one page": {"imagej": True, "metadata": {"axes": "CYX"}, "truncate": True},
    "shaped": {**GREY},
    "shaped in one page": {"truncate": True, **GREY},
    "samples apart": {"planarconfig": "separate", "metadata": None, **GREY},
    "called rgb": {"photometric": "rgb", "metadata": None},
    "pages": {"metadata": None, "compression": "zstd", **GREY},
    "big endian": {"metadata": None, "byteorder": ">", "resolution": (20_000, 20_000), "resolutionunit": 3, **GREY},
}


def tiff_mutation(rng: random.Random) -> tuple[str, Callable[[Path], Path]]:
    """Return what is changed, and what writes the changed file into a folder."""
    kind = rng.choice(["pyramid", *WAYS])
    content = bytearray(_base(kind))
    changes = [_change(content, kind, rng) for _ in range(rng.choice([1, 1, 1, 2, 3]))]

    def write(folder: Path) -> Path:
        path = folder / ("image.ome.tif" if b"<OME" in content else "image.tif")
        path.write_bytes(content)
        return path

    return f"{kind}: {', '.join(changes)}", write


@cache
def _base(kind: str) -> bytes:
    file = BytesIO()
    if kind == "pyramid":
        with tifffile.TiffWriter(file, ome=True) as tiff:
            settings = {"tile": (16, 16), "compression": "zlib", **GREY}
            tiff.write(PLANES, subifds=1, metadata=OME, **settings)
            tiff.write(PLANES[:, ::2, ::2], subfiletype=1, **settings)
    else:
        tifffile.imwrite(file, PLANES, **WAYS[kind])
    return file.getvalue()


@cache
def _tags(kind: str) -> tuple[tuple[int, int, int, int, int, str], ...]:
    """Return place, place of the values, type, count, first value and name of each tag."""
    with tifffile.TiffFile(BytesIO(_base(kind))) as tiff:
        tiff.pages.useframes = False
        pages = [page.aspage() for page in tiff.pages]
        pages += [below for page in pages for below in page.pages or ()]
        return tuple(
            (tag.offset, tag.valueoffset, int(tag.dtype), tag.count, _first(tag.value), f"{number}:{tag.name}")
            for number, page in enumerate(pages)
            for tag in page.tags
        )


def _first(value: object) -> int:
    value = value[0] if isinstance(value, tuple) and value else value
    return int(value) if isinstance(value, int) else 0


def _change(content: bytearray, kind: str, rng: random.Random) -> str:
    what = rng.choice(["value", "value", "value", "element", "count", "type", "code", "pointer", "text"])
    if what == "pointer":
        return _pointer(content, kind, rng)
    if what == "text":
        return _text(content, rng)
    offset, place, dtype, count, first, name = rng.choice(_tags(kind))
    order = ">" if content[:2] == b"MM" else "<"
    is_big = content[2:4] in (b"\x2b\0", b"\0\x2b")
    word = "Q" if is_big else "I"
    number = rng.choice([*NUMBERS, first + 1, abs(first - 1), 2 * first, first // 2, rng.randrange(2**16)])
    if what == "code":
        _put(content, order + "H", offset, number)
    elif what == "type":
        number = rng.choice([*range(19), number])
        _put(content, order + "H", offset + 2, number)
    elif what == "count":
        number = rng.choice([number, count + 1, count - 1, 2 * count])
        _put(content, order + word, offset + 4, number)
    else:
        size = {1: "B", 2: "B", 3: "H", 6: "B", 7: "B", 8: "H", 16: "Q"}.get(dtype, "I")
        at = place + struct.calcsize(size) * (rng.randrange(count) if what == "element" else 0)
        _put(content, order + size, at, number)
    return f"{what} of {name} {number}"


def _pointer(content: bytearray, kind: str, rng: random.Random) -> str:
    order = ">" if content[:2] == b"MM" else "<"
    is_big = content[2:4] in (b"\x2b\0", b"\0\x2b")
    starts = sorted({offset for offset, *_ in _tags(kind)})
    # The pointer to the next page follows a page's last tag.
    place = rng.choice([8 if is_big else 4, rng.choice(starts) + (20 if is_big else 12)])
    number = rng.choice([*NUMBERS, rng.choice(starts) - (8 if is_big else 2), rng.randrange(len(content))])
    _put(content, order + ("Q" if is_big else "I"), place, number)
    return f"pointer at {place} {number}"


def _text(content: bytearray, rng: random.Random) -> str:
    """Change a number in what the first page says of itself, which keeps its length."""
    found = list(re.finditer(rb"(?<=[=\"\[ ,])\d+(?=[\n\",\] ])", bytes(content[:4000])))
    if not found:
        return "nothing"
    one = rng.choice(found)
    digits = "".join(rng.choice("0123459") for _ in one[0]).encode()
    content[one.start() : one.end()] = digits
    return f"number {one[0]!r} at {one.start()} {digits!r}"


def _put(content: bytearray, form: str, place: int, number: int) -> None:
    size = struct.calcsize(form)
    if 0 <= place <= len(content) - size:
        struct.pack_into(form, content, place, number % 2 ** (8 * size))
