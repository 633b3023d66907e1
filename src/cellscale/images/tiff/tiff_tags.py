"""Tags of a page of a TIFF that contradict each other, or are of a type that they cannot have.

Each decoder takes pixels of some kinds only, and most give numbers for anything: a page whose tags were damaged reads
as garbage. Formats: TIFF Revision 6.0 (Adobe, 1992), its Technical Notes, and libtiff's list of compressions.
"""

from typing import Any

from cellscale.errors import ImageError

__all__ = ["OWN_BITS", "check_list_types", "check_single", "check_tags"]

_SINGLE = (
    "imagelength", "imagewidth", "imagedepth", "tilelength", "tilewidth", "rowsperstrip", "samplesperpixel",
    "compression", "planarconfig", "photometric", "predictor", "fillorder",
)  # fmt: skip
"""What has one value for a page; tifffile gives as many as a tag holds."""

_LISTS = {273: "StripOffsets", 279: "StripByteCounts", 324: "TileOffsets", 325: "TileByteCounts"}
_LIST_TYPES = {3: "SHORT", 4: "LONG", 13: "IFD", 16: "LONG8", 18: "IFD8"}

_BITS = {
    2: (1, 1), 3: (1, 1), 4: (1, 1), 6: (8, 8), 7: (1, 16), 33007: (1, 16), 34892: (8, 16),
    34933: (1, 16), 34927: (8, 8), 50001: (8, 8),
}  # fmt: skip
"""Fewest and most bits of the whole numbers that a compression is made for, where it is not made for all: CCITT's
three, JPEG of all sorts, PNG and WebP. Compressions that no library reads need no row: they are refused as that."""

OWN_BITS = {6, 7, 33007, 34892, 34933, 33003, 33005, 34712, 22610, 34934, 50002, 52546, 34887}
"""Compressions whose data say themselves how many bits a value has: JPEG, PNG, JPEG 2000, JPEG XR, JPEG XL, LERC."""

_PACKED_BITS = {1, 2, 4, 6, 10, 12, 14, 24}
"""Bits of values that are stored without gaps, which cameras write; 24 are of floats or whole numbers."""

_FLOAT_PREDICTORS = {3, 34894, 34895}


def check_list_types(page: Any, name: str) -> None:
    """Check that the lists of a page's segments are of whole numbers.

    Parameters
    ----------
    page
        The tifffile page, with tags of its own.
    name
        For messages.

    Raises
    ------
    ImageError
        One is not.
    """
    for code, what in _LISTS.items():
        tag = page.tags.get(code)
        if tag is not None and int(tag.dtype) not in _LIST_TYPES:
            raise _refused(
                name, f"{what} of TIFF type {int(tag.dtype)}", f"{', '.join(_LIST_TYPES.values())} expected"
            )


def check_single(page: Any, name: str) -> None:
    """Check that a page has one number for what has to be one.

    Parameters
    ----------
    page
        The tifffile page, with tags of its own.
    name
        For messages.

    Raises
    ------
    ImageError
        There are several, or something else.
    """
    for fact in _SINGLE:
        value = getattr(page, fact)
        if not isinstance(value, int):
            raise ImageError(f"{name}: {value!r} found for {fact}, one number expected: the file is damaged")


def check_tags(page: Any, name: str) -> None:
    """Check that a page's compression can hold pixels of its type and bits.

    Parameters
    ----------
    page
        The tifffile page, with tags of its own and a type of pixel.
    name
        For messages.

    Raises
    ------
    ImageError
        It cannot.
    """
    if not isinstance(page.bitspersample, int):
        raise _refused(name, f"values of {page.bitspersample} bits in one pixel", "one number expected")
    compression, bits, kind = int(page.compression), page.bitspersample, page.dtype.kind
    said = f"{_text(page.compression)} and {bits} bits a value ({page.dtype})"
    low, high = _BITS.get(compression, (1, 64))
    if not low <= bits <= high or (compression in _BITS and kind == "f"):
        raise _refused(name, said, f"this compression is for whole numbers of {low} to {high} bits")
    if bits != 8 * page.dtype.itemsize and compression not in OWN_BITS and bits not in _PACKED_BITS:
        raise _refused(name, said, "8, 16, 32, 64, or 10, 12 or 14 packed ones expected")
    if int(page.predictor) in _FLOAT_PREDICTORS and kind != "f":
        raise _refused(name, f"a predictor for floating point numbers and pixels of {page.dtype}", "floats expected")


def _text(compression: Any) -> str:
    name = getattr(compression, "name", None)
    return f"compression {int(compression)}" + (f" ({name})" if name else "")


def _refused(name: str, found: str, expected: str) -> ImageError:
    return ImageError(
        f"{name}: {found} found in the tags of a page; {expected}: the file is damaged; copy or download it again, "
        f"or write it again"
    )
