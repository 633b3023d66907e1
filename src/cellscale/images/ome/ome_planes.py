"""How many planes OME-XML says an image has, and which pages of which files they are."""

from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree import ElementTree

from cellscale.errors import ImageError
from cellscale.written_numbers import whole_number

__all__ = ["OmePlanes", "PlaneRun", "parse_planes"]

_ORDER = "XYCZT"
_COUNTS = ("IFD", "FirstC", "FirstZ", "FirstT", "PlaneCount", "NumPlanes")
"""Attributes of ``TiffData``; NumPlanes is PlaneCount's old name."""


@dataclass(frozen=True, slots=True)
class PlaneRun:
    """A ``TiffData`` element: planes that follow each other, in pages that do."""

    first: int | None
    """Number of the first plane in the image's order; None where it lies outside the image."""

    page: int
    """The first page of its file, from 0."""

    count: int | None
    """Pages; None for all that the file has."""

    here: bool
    """Whether the pages are in the file that the OME-XML is in."""

    file: str | None = None
    """The other file that they are in, as it is named."""


@dataclass(frozen=True, slots=True)
class OmePlanes:
    """The planes of one ``Pixels`` element."""

    sizes: dict[str, int]
    """Of the axes X, Y, C, Z and T."""

    samples: int
    """Values of a pixel that are stored together."""

    described: int
    """``Channel`` elements."""

    runs: tuple[PlaneRun, ...]

    @property
    def count(self) -> int:
        """Planes that the sizes declare."""
        return self.sizes["C"] // self.samples * self.sizes["Z"] * self.sizes["T"]

    @property
    def text(self) -> str:
        """The number of planes, and what it is made of."""
        sizes = " x ".join(f"Size{axis} {self.sizes[axis]:,}" for axis in "CZT")
        return f"{self.count:,} planes ({sizes})"


def parse_planes(pixels: ElementTree.Element, identifier: str | None, name: str) -> OmePlanes:
    """Read sizes and places of the planes of a ``Pixels`` element.

    Parameters
    ----------
    pixels
        The element.
    identifier
        Of the document; planes of other files name another one.
    name
        The file it is from.

    Raises
    ------
    ImageError
        A size is no whole number above 0, or a place no whole number from 0 on.
    """
    sizes = {axis: _number(pixels, f"Size{axis}", 1, name) for axis in _ORDER}
    channels = [child for child in pixels if _tag(child) == "Channel"]
    samples = _number(channels[0], "SamplesPerPixel", 1, name) if channels else 1
    shape = {**sizes, "C": max(sizes["C"] // samples, 1)}
    order = "".join(axis for axis in pixels.get("DimensionOrder", _ORDER) if axis in "CZT")
    runs = tuple(_runs(pixels, order, shape, identifier, name))
    return OmePlanes(sizes=sizes, samples=samples, described=len(channels), runs=runs)


def _tag(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]


def _number(element: ElementTree.Element, attribute: str, lowest: int, name: str) -> int:
    """Return an attribute, or the lowest number that it may be where it is left out."""
    text = element.get(attribute)
    value = lowest if text is None else whole_number(text)
    if value is None or value < lowest:
        raise ImageError(
            f'{name}: {attribute}="{text}" found in its OME-XML ({_tag(element)}); a whole number from {lowest} on '
            f"expected: the file is damaged; copy or download it again, or write it again"
        )
    return value


def _runs(
    pixels: ElementTree.Element, order: str, shape: dict[str, int], identifier: str | None, name: str
) -> Iterator[PlaneRun]:
    for element in (child for child in pixels if _tag(child) == "TiffData"):
        number = {attribute: _number(element, attribute, 0, name) for attribute in _COUNTS}
        count = number["PlaneCount"] or number["NumPlanes"] or (1 if element.get("IFD") is not None else None)
        first, stride = 0, 1
        for axis in order:
            first += number[f"First{axis}"] * stride
            stride *= shape[axis]
        inside = all(number[f"First{axis}"] < shape[axis] for axis in order)
        file = _other_file(element, identifier, name)
        yield PlaneRun(first=first if inside else None, page=number["IFD"], count=count, here=file is None, file=file)


def _other_file(element: ElementTree.Element, identifier: str | None, name: str) -> str | None:
    """Return the name of the other file that a ``TiffData`` element names; None where it names none but its own."""
    uuid = next((child for child in element if _tag(child) == "UUID"), None)
    if uuid is None or (identifier is not None and uuid.text == identifier):
        return None
    file = uuid.get("FileName", "")
    return None if file.lower() == name.lower() else file
