"""Channel names, colours and µm/px of a TIFF: from OME-XML, from ImageJ, or from the resolution tags."""

import re
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from cellscale.errors import ImageError
from cellscale.images.info import Channel, PixelSize
from cellscale.images.ome.ome_metadata import OmeImage
from cellscale.images.ome.units import micrometres, pixel_size_of

__all__ = ["TiffMetadata", "check_document_type", "named_channels", "tiff_metadata"]

_UNITS = {2: "inch", 3: "cm"}
_COARSEST = 5.0
"""µm/px from which a resolution tag may be a printer's or a screen's (5,080 dots an inch), and not a microscope's."""


@dataclass(frozen=True, slots=True)
class TiffMetadata:
    """What the metadata say of one image of a TIFF."""

    channels: tuple[Channel, ...]
    pixel_size: PixelSize | None = None
    significant_bits: int | None = None
    warnings: tuple[str, ...] = ()


def named_channels(names: list[str | None], colors: list[int | None], count: int) -> tuple[Channel, ...]:
    """Return ``count`` channels; ``Channel <position>`` where there is no name."""
    return tuple(
        Channel(
            index=index,
            name=(names[index] if index < len(names) else None) or f"Channel {index + 1}",
            color=colors[index] if index < len(colors) else None,
        )
        for index in range(count)
    )


def tiff_metadata(tiff: Any, series: Any, image: OmeImage | None, count: int) -> TiffMetadata:
    """Return channels and µm/px of an image.

    Parameters
    ----------
    tiff
        The open tifffile.TiffFile.
    series
        The image's series.
    image
        What the OME-XML says of it, where it does.
    count
        Number of channels that are stored.
    """
    if series.kind == "ome" and tiff.ome_metadata:
        return TiffMetadata(named_channels([], [], count)) if image is None else _from_ome(image, count)
    if series.kind == "imagej" and tiff.imagej_metadata:
        return _from_imagej(tiff.imagej_metadata, series, count)
    return TiffMetadata(named_channels([], [], count), _from_resolution_tags(series.keyframe))


def _from_ome(image: OmeImage, count: int) -> TiffMetadata:
    names, colors = list(image.channel_names), list(image.channel_colors)
    return TiffMetadata(named_channels(names, colors, count), image.pixel_size, image.significant_bits)


def _from_imagej(metadata: dict[str, Any], found: Any, count: int) -> TiffMetadata:
    labels = metadata.get("Labels")
    names: list[str | None] = list(labels) if isinstance(labels, list) and len(labels) == count else []
    unit = metadata.get("unit")
    size = (
        _from_resolution_tags(found.keyframe) if unit is None else _from_tags(found.keyframe, _unescaped(str(unit)))
    )
    return TiffMetadata(named_channels(names, [], count), size)


def _unescaped(unit: str) -> str:
    """Return a unit without Java's escapes; ImageJ writes them, other programs write the letters themselves."""
    return re.sub(r"\\u([0-9a-fA-F]{4})", lambda found: chr(int(found[1], 16)), unit)


def _from_resolution_tags(keyframe: Any) -> PixelSize | None:
    """Return µm/px where no printer can be meant by the tags, and say that it is from them."""
    unit = keyframe.tags.get("ResolutionUnit")
    if unit is None or unit.value not in _UNITS:
        return None
    size = _from_tags(keyframe, _UNITS[unit.value])
    return replace(size, from_tags=True) if size is not None and max(size.x, size.y) < _COARSEST else None


def _from_tags(keyframe: Any, unit: str) -> PixelSize | None:
    return pixel_size_of(_side(keyframe, "XResolution", unit), _side(keyframe, "YResolution", unit))


def _side(keyframe: Any, tag: str, unit: str) -> float | None:
    found = keyframe.tags.get(tag)
    if found is None or not isinstance(found.value, tuple) or len(found.value) != 2 or 0 in found.value:
        return None
    pixels, units = (int(part) for part in found.value)
    return micrometres(float(Fraction(units, pixels)), unit)


def check_document_type(tiff: Any, name: str) -> None:
    """Refuse OME-XML with a document type before tifffile parses it.

    Raises
    ------
    ImageError
        It declares one.
    """
    if "<!DOCTYPE" in (tiff.ome_metadata or ""):
        raise ImageError(f"{name}: its OME-XML declares a document type, which OME does not allow: it is not read")
