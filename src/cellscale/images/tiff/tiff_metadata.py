"""Channel names, colours and µm/px of a TIFF: from OME-XML, from ImageJ, or from the resolution tags."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from cellscale.errors import ImageError
from cellscale.images.channels.imagej_labels import label_names
from cellscale.images.channels.page_names import page_names
from cellscale.images.info import Channel, PixelSize
from cellscale.images.ome.ome_metadata import OmeImage
from cellscale.images.ome.units import micrometres, pixel_size_of
from cellscale.images.tiff.tiff_layout import Plane

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


def tiff_metadata(tiff: Any, series: Any, image: OmeImage | None, planes: Sequence[Plane]) -> TiffMetadata:
    """Return channels and µm/px of an image.

    Parameters
    ----------
    tiff
        The open tifffile.TiffFile.
    series
        The image's series.
    image
        What the OME-XML says of it, where it does.
    planes
        Where the channels are stored.
    """
    count, steps = len(planes), getattr(series, "steps", 1)
    if series.kind == "mmstack":
        return _from_stack(series, image, count)
    if series.kind == "ome" and tiff.ome_metadata:
        return TiffMetadata(named_channels([], [], count)) if image is None else _from_ome(image, count, steps)
    if series.kind == "imagej" and tiff.imagej_metadata:
        return _from_imagej(tiff.imagej_metadata, series, count)
    return TiffMetadata(named_channels(_of_pages(planes), [], count), _from_resolution_tags(series.keyframe))


def _of_pages(planes: Sequence[Plane]) -> list[str | None]:
    """Return the names of the planes' pages, where each plane has a page of its own."""
    numbers = {plane.number for plane in planes}
    return page_names([plane.page for plane in planes]) if planes[0].tagged and len(numbers) == len(planes) else []


def _from_ome(image: OmeImage, count: int, steps: int = 1) -> TiffMetadata:
    """Return what OME-XML says; of a stack of one channel the name is not that of its planes."""
    is_stack_of_one = steps > 1 and steps == count
    names, colors = ([], []) if is_stack_of_one else (list(image.channel_names), list(image.channel_colors))
    names, colors = names * steps, colors * steps
    return TiffMetadata(named_channels(names, colors, count), image.pixel_size, image.significant_bits)


def _from_stack(series: Any, image: OmeImage | None, count: int) -> TiffMetadata:
    """Return what the OME-XML says of a stack of Micro-Manager, and of what it does not say, the stack's summary."""
    if image is None or not any(image.channel_names):
        names = named_channels(series.channel_names, [], count)
        return TiffMetadata(names, (image and image.pixel_size) or series.pixel_size)
    facts = _from_ome(image, count)
    return replace(facts, pixel_size=facts.pixel_size or series.pixel_size)


def _from_imagej(metadata: dict[str, Any], found: Any, count: int) -> TiffMetadata:
    names = _labels(metadata.get("Labels"), found, count)
    unit = metadata.get("unit")
    size = (
        _from_resolution_tags(found.keyframe) if unit is None else _from_tags(found.keyframe, _unescaped(str(unit)))
    )
    return TiffMetadata(named_channels(names, [], count), size)


def _labels(labels: object, found: Any, count: int) -> list[str | None]:
    """Return the names in ImageJ's labels, which are in the order of the file."""
    names, steps = label_names(labels, count), getattr(found, "steps", 1)
    if steps == 1:
        return names
    if names:
        return [names[number] for number in found.order]
    return label_names(labels, count // steps) * steps if steps < count else []


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
