"""OME-TIFFs whose OME-XML does not say which page is which plane, or says it of a file of another name.

Such files hold all of their image. Bio-Formats, and so QuPath and Fiji, take the pages in their order; so does
cellscale, by completing the OME-XML that tifffile places pages by. Of what is not all there is told what is missing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from xml.etree import ElementTree

from cellscale.errors import ImageError
from cellscale.images.ome.ome_metadata import OmeImage
from cellscale.images.ome.ome_planes import OmePlanes, parse_planes

__all__ = ["Ordered", "pages_in_order"]

_REDUCED, _TRANSPARENCY = 1, 4
_NO_PLACES = ("TiffData", "MetadataOnly", "BinData")
_NAMED = 5
"""Files and channels that a message names."""


@dataclass(frozen=True, slots=True)
class Ordered:
    """An image whose pages are its planes in their order."""

    image: OmeImage
    """With the places of its planes."""

    xml: str
    """The same, for tifffile."""

    warning: str


def pages_in_order(
    image: OmeImage, tiff: Any, text: str, name: str, is_there: Callable[[str], bool]
) -> Ordered | None:
    """Return an image with places for its planes, where its file holds all of it and does not say where.

    Parameters
    ----------
    image
        The only image that the file describes.
    tiff
        The open tifffile.TiffFile.
    text
        The OME-XML.
    name
        The file, for messages.
    is_there
        Tells whether a file beside it is there.

    Returns
    -------
    None where the OME-XML places planes, so that nothing has to be completed.

    Raises
    ------
    ImageError
        Planes are missing, and no other file that could have them is there.
    """
    others = tuple(dict.fromkeys(run.file for run in image.planes.runs if run.file is not None))
    if any(map(is_there, filter(None, others))):
        return None
    pages = [page for page in tiff.pages if _is_plane(page, image)]
    if not pages:
        return None
    samples = pages[0].samplesperpixel
    planes = image.planes
    if not isinstance(samples, int):
        return None  # the tag is damaged, which whoever reads the page tells
    if samples == planes.samples and not others and _is_placed(planes, len(tiff.pages)):
        return None
    if not others and samples == planes.samples and not _says_no_places(planes):
        return None
    needed = planes.sizes["C"] * planes.sizes["Z"] * planes.sizes["T"] / samples
    if len(pages) < needed and samples == planes.samples:
        raise ImageError(_incomplete(image, len(pages), others, name))
    return _ordered(image, text, [int(page.index) for page in pages], samples, name) if len(pages) == needed else None


def _is_plane(page: Any, image: OmeImage) -> bool:
    is_whole = not int(page.subfiletype) & (_REDUCED | _TRANSPARENCY)
    return is_whole and (int(page.imagelength), int(page.imagewidth)) == (image.height, image.width)


def _is_placed(planes: OmePlanes, pages: int) -> bool:
    """Return whether each plane has a page, as far as there are pages."""
    placed: set[int] = set()
    for run in (run for run in planes.runs if run.first is not None):
        count = pages - run.page if run.count is None else run.count
        placed.update(range(run.first or 0, min((run.first or 0) + count, planes.count)))
    return len(placed) == planes.count


def _says_no_places(planes: OmePlanes) -> bool:
    """Return whether all that is said of places is the first plane."""
    return all(run.first == 0 for run in planes.runs)


def _ordered(image: OmeImage, text: str, pages: list[int], samples: int, name: str) -> Ordered:
    root = ElementTree.fromstring(text)
    pixels = next(child for child in root.iter() if _tag(child) == "Pixels")
    for child in [child for child in pixels if _tag(child) in _NO_PLACES]:
        pixels.remove(child)
    for channel in (child for child in pixels if _tag(child) == "Channel"):
        channel.set("SamplesPerPixel", str(samples))
    space = pixels.tag[: -len("Pixels")]
    order = [axis for axis in pixels.get("DimensionOrder", "XYCZT") if axis in "CZT"]
    sizes = {**image.planes.sizes, "C": image.planes.sizes["C"] // samples}
    for number, page in enumerate(pages):
        place = {"IFD": str(page), "PlaneCount": "1"}
        rest = number
        for axis in order:
            place[f"First{axis}"] = str(rest % sizes[axis])
            rest //= sizes[axis]
        ElementTree.SubElement(pixels, f"{space}TiffData", place)
    completed = replace(image, planes=parse_planes(pixels, None, name))
    return Ordered(
        completed,
        ElementTree.tostring(root, encoding="unicode"),
        "its OME-XML does not say which of its pages is which channel: they are taken in their order, as Bio-Formats "
        "does; cellscale repair-metadata writes OME-XML that says so",
    )


def _incomplete(image: OmeImage, found: int, others: tuple[str, ...], name: str) -> str:
    claim = (
        f"{name}: the file is incomplete: its OME-XML declares {image.planes.text}, and {found:,} "
        f"{'is' if found == 1 else 'are'} there"
    )
    if others:
        return (
            f"{claim}; the others are in files that cannot be found: {_listed(others)}. Keep the files of a "
            "multi-file OME-TIFF together in one folder of a disk, or write them as one"
        )
    return (
        f"{claim}, and no other file is named that could have the rest; missing: {_missing(image, found)}. Export or "
        "copy it again"
    )


def _missing(image: OmeImage, found: int) -> str:
    """Return which planes are missing, by the names of their channels where each channel is one plane."""
    count = image.planes.count
    if count != image.planes.sizes["C"] or count != len(image.channel_names):
        return f"{count - found:,} planes"
    return _listed([channel or f"channel {number}" for number, channel in enumerate(image.channel_names, 1)][found:])


def _listed(given: Sequence[str]) -> str:
    names = [name or "one without a name" for name in given]
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _tag(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]
