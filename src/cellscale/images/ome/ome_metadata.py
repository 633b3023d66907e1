"""What OME-XML says of an image."""

from dataclasses import dataclass
from xml.etree import ElementTree

from cellscale.errors import ImageError
from cellscale.images.info import PixelSize
from cellscale.images.ome.ome_planes import OmePlanes, parse_planes
from cellscale.images.ome.units import micrometres, pixel_size_of
from cellscale.written_numbers import decimal_number, whole_number

__all__ = ["OmeImage", "parse_ome_xml"]


_MOST_SAMPLES = 65_535
"""That a pixel of a TIFF can have."""


@dataclass(frozen=True, slots=True)
class OmeImage:
    """One ``Image`` element."""

    name: str | None
    height: int
    width: int
    size_z: int
    size_t: int
    channel_names: tuple[str | None, ...]
    """One for each channel that is described, as written; None where the file gives none."""

    channel_colors: tuple[int | None, ...]
    """Signed 32-bit RGBA integers."""

    pixel_size: PixelSize | None
    significant_bits: int | None
    planes: OmePlanes
    """Where its planes are."""


def parse_ome_xml(text: str, name: str) -> tuple[OmeImage, ...]:
    """Read the images of an OME-XML document, of any version of the schema.

    Parameters
    ----------
    text
        The document.
    name
        The file it is from, for messages.

    Raises
    ------
    ImageError
        The document is not XML, declares a document type (entities can expand without bound; OME needs none), or has
        sizes or places of planes that are no numbers.
    """
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise ImageError(f"{name}: its OME-XML declares a document type, which OME does not allow: it is not read")
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise ImageError(f"{name}: its OME-XML cannot be read ({error}): the file is damaged") from error
    images = [element for element in root if _tag(element) == "Image"]
    return tuple(parsed for image in images if (parsed := _image(image, root.get("UUID"), name)) is not None)


def _tag(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]


def _image(element: ElementTree.Element, identifier: str | None, file: str) -> OmeImage | None:
    pixels = next((child for child in element if _tag(child) == "Pixels"), None)
    if pixels is None:
        return None
    names, colors = _channels(pixels)
    return OmeImage(
        name=element.get("Name"),
        height=_integer(pixels, "SizeY") or 0,
        width=_integer(pixels, "SizeX") or 0,
        size_z=_integer(pixels, "SizeZ") or 1,
        size_t=_integer(pixels, "SizeT") or 1,
        channel_names=names,
        channel_colors=colors,
        pixel_size=pixel_size_of(_length(pixels, "PhysicalSizeX"), _length(pixels, "PhysicalSizeY")),
        significant_bits=_integer(pixels, "SignificantBits"),
        planes=parse_planes(pixels, identifier, file),
    )


def _channels(pixels: ElementTree.Element) -> tuple[tuple[str | None, ...], tuple[int | None, ...]]:
    names: list[str | None] = []
    colors: list[int | None] = []
    for channel in (child for child in pixels if _tag(child) == "Channel"):
        name = channel.get("Name") or None
        samples = min(max(1, _integer(channel, "SamplesPerPixel") or 1), _MOST_SAMPLES)
        for sample in range(samples):
            names.append(name if samples == 1 or name is None else f"{name} {sample + 1}")
            colors.append(_integer(channel, "Color"))
    return tuple(names), tuple(colors)


def _integer(element: ElementTree.Element, attribute: str) -> int | None:
    return whole_number(element.get(attribute))


def _length(pixels: ElementTree.Element, attribute: str) -> float | None:
    value = decimal_number(pixels.get(attribute))
    return None if value is None else micrometres(value, pixels.get(f"{attribute}Unit"))
