"""Names of channels that the pages of a TIFF have, each for itself.

PerkinElmer and Akoya describe every page of a QPTIFF, and of inForm's component data, in XML: ``Biomarker``, or else
the ``Name`` of the filter. The XML says that it is UTF-16, and is not. Ionpath's MIBI describes pages in JSON, and
names them ``Target (mass)`` in the tag PageName, which the exports of mass cytometers have as well.
"""

import json
import re
from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree

from cellscale.images.tiff.tiff_storage import own_page

__all__ = ["page_names"]

_PAGE_NAME = 285
_QPI = "<PerkinElmer-QPI-ImageDescription"
_MASS = re.compile(r"(.*\S)\s+\(\d+(?:\.\d+)?\)")
"""MIBI's target and mass."""


def page_names(pages: Sequence[Any]) -> list[str | None]:
    """Return the name of each page, None where it has none; no names where all of several pages have the same.

    Parameters
    ----------
    pages
        tifffile's pages or frames, with tags of their own.
    """
    own = [own_page(page) for page in pages]
    described = [_described(page.description) for page in own]
    names = described if any(described) else _tagged(own)
    return [] if len(names) > 1 and len(set(names)) == 1 else names


def _described(description: object) -> str | None:
    if not isinstance(description, str):
        return None
    if _QPI in description[:1000]:
        return _of_qpi(description)
    return _of_mibi(description) if description.lstrip().startswith("{") else None


def _of_qpi(description: str) -> str | None:
    if "<!DOCTYPE" in description or "<!ENTITY" in description:
        return None
    try:
        root = ElementTree.fromstring(description[description.index(_QPI) :].rstrip("\0"))
    except ElementTree.ParseError:
        return None
    return next(filter(None, ((root.findtext(tag) or "").strip() for tag in ("Biomarker", "Name"))), None)


def _of_mibi(description: str) -> str | None:
    try:
        target = json.loads(description).get("channel.target")
    except (ValueError, RecursionError):
        return None
    return target.strip() or None if isinstance(target, str) else None


def _tagged(pages: Sequence[Any]) -> list[str | None]:
    values = [page.tags.valueof(_PAGE_NAME) for page in pages]
    names = [value.strip() or None if isinstance(value, str) else None for value in values]
    targets = [_MASS.fullmatch(name or "") for name in names]
    return [target[1] for target in targets if target] if all(targets) else names
