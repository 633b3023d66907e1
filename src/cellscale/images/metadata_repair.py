"""Writing corrected OME-XML into an OME-TIFF, or a copy of it."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO
from xml.etree import ElementTree

import tifffile

from cellscale.errors import ImageError, RequestError
from cellscale.images.image_names import image_name
from cellscale.images.ome.ome_metadata import parse_ome_xml
from cellscale.images.ome.ome_repair import corrected, faults_of
from cellscale.images.ome.page_order import pages_in_order
from cellscale.images.tiff.description import place_of, segments, unless_failed, write_description
from cellscale.images.tiff.tiff_image import TiffImage
from cellscale.storage.atomic import atomic_write
from cellscale.storage.storage_errors import explained

__all__ = ["Repair", "repair_metadata"]

_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
_TYPES = {"float32": "float", "float64": "double"}
"""OME's names of numpy's types, where they differ."""


@dataclass(frozen=True, slots=True)
class Repair:
    """What became of an image's metadata."""

    written: Path | None
    """The file with the corrected metadata; None where there was nothing to correct."""

    changes: tuple[str, ...]
    """What was corrected, in words."""


def repair_metadata(path: Path, output: Path | None = None, *, in_place: bool = False) -> Repair:
    """Correct the OME-XML of an OME-TIFF that Bio-Formats, and so QuPath, would throw away as a whole.

    Pixels are not touched: all that was in the file stays at its place, byte for byte, and the new text is put behind
    it. A copy appears whole or not at all; a file that is corrected in place is what it was until the last 16 bytes
    are written.

    Parameters
    ----------
    path
        The image.
    output
        The copy; beside the image, with ``_repaired`` behind its name, if None.
    in_place
        Change the image itself.

    Raises
    ------
    RequestError
        The copy is there already.
    ImageError
        The image is damaged, is no OME-TIFF, or cannot be corrected.
    StorageError
        It cannot be read or written.
    """
    TiffImage(path).close()  # what cannot be read is not repaired
    with explained("read", path), tifffile.TiffFile(path) as tiff:
        xml, changes = _corrected(tiff, path)
        place = place_of(tiff, path.name)
    if not changes:
        return Repair(None, ())
    target = path if in_place else output or path.with_name(f"{image_name(path)}_repaired.ome.tiff")
    if not in_place and target.exists():
        raise RequestError(f"{target} is there already: remove it, or name another file with --output")
    before = segments(path)
    if in_place:
        with explained("write", path), path.open("r+b") as file, unless_failed(file, place):
            write_description(file, place, xml, path.name)
            _check(file, before, xml, path.name)
        return Repair(path, changes)
    with atomic_write(target) as copy:
        with explained("read", path), path.open("rb") as source:
            shutil.copyfileobj(source, copy, 2**22)
        write_description(copy, place, xml, path.name)
        _check(copy, before, xml, path.name)
    return Repair(target, changes)


def _corrected(tiff: Any, path: Path) -> tuple[str, tuple[str, ...]]:
    """Return the corrected OME-XML of an open TIFF, and what was corrected."""
    text = tiff.ome_metadata
    if not text:
        raise ImageError(f"{path.name}: no OME-XML found; cellscale repair-metadata corrects that of OME-TIFFs")
    images = parse_ome_xml(text, path.name)
    tiff.pages.useframes = False
    ordered = None
    if len(images) == 1:
        ordered = pages_in_order(images[0], tiff, text, path.name, lambda name: (path.parent / name).is_file())
    root = ElementTree.fromstring(text if ordered is None else ordered.xml)
    dtype = str(tiff.pages.first.dtype)
    changes = corrected(root, _TYPES.get(dtype, dtype))
    left = faults_of(root)
    if left:
        raise ImageError(
            f"{path.name}: {left[0].text} found in its OME-XML, which cannot be corrected; export it again"
        )
    if ordered is not None:
        changes.append("pages without a place: TiffData of each, in their order")
    namespace = root.tag[1:].partition("}")[0] if root.tag.startswith("{") else ""
    ElementTree.register_namespace("", namespace)
    return _HEAD + ElementTree.tostring(root, encoding="unicode"), tuple(changes)


def _check(file: BinaryIO, before: list[tuple[Any, ...]], xml: str, name: str) -> None:
    """Check that a file that was written has the pixels that it had, and the new text."""
    file.seek(0)
    if segments(file) != before:
        raise ImageError(f"{name}: its pages are not what they were; nothing was kept")
    file.seek(0)
    with tifffile.TiffFile(file) as tiff:
        if tiff.ome_metadata != xml:
            raise ImageError(f"{name}: its OME-XML is not what was written; nothing was kept")
