"""OME-TIFFs of whose OME-XML one or a few attributes or elements are others than their writer gave."""

import random
import re
from collections.abc import Callable
from pathlib import Path

from tests.images.ome_files import NAMES, ome_xml, planes, write_ome

__all__ = ["ome_mutation"]

TEXTS = (
    "", " ", "0", "1", "2", "3", "4", "-1", "100", "65536", "2147483647", "2147483648", "4294967296", "9" * 20,
    "9" * 400, "0.5", "0,5", "1e400", "-0", "NaN", "INF", "-INF", "0x10", "1_000", "٣", "true", "abc", "µm", "um",
    "mm", "pixel", "XYZCT", "XYCTZ", "XYTZC", "YXCZT", "XYC", "uint8", "uint16", "int16", "float", "double", "bit",
    "Image:0", "Image:1", "Channel:0:0", "../../x.tif", "image.ome.tif", "other.ome.tif", "urn:uuid:1", "&#10;",
    "&amp;", "&lt;OME&gt;", "x" * 5000,
)  # fmt: skip
UUID = '<UUID FileName="image.ome.tif">urn:uuid:0</UUID>'
DATA = (
    "<TiffData/>",
    "",
    "<MetadataOnly/>",
    '<TiffData IFD="0" PlaneCount="3"/>',
    "".join(f'<TiffData FirstC="{c}" FirstZ="0" FirstT="0" IFD="{c}" PlaneCount="1"/>' for c in range(3)),
    "".join(f'<TiffData FirstC="{c}" IFD="{2 - c}" PlaneCount="1">{UUID}</TiffData>' for c in range(3)),
)
CHANNEL = (
    "",
    'SamplesPerPixel="1" Color="-1"',
    'Fluor="DAPI" AcquisitionMode="WideField" EmissionWavelength="461" EmissionWavelengthUnit="nm"',
)
SIZE = 'PhysicalSizeX="0.5" PhysicalSizeXUnit="µm" PhysicalSizeY="0.5" PhysicalSizeYUnit="µm" SignificantBits="12"'
_ATTRIBUTE = re.compile(r'(\w+)="([^"]*)"')
_ELEMENT = re.compile(r"<(Channel|TiffData|Image|Pixels|UUID|MetadataOnly)\b[^>]*?(/>|>(?:[^<]*</\1>)?)")


def ome_mutation(rng: random.Random) -> tuple[str, Callable[[Path], Path]]:
    """Return what is changed, and what writes the changed file into a folder."""
    xml = ome_xml(rng.choice(DATA), root='UUID="urn:uuid:0"', size=SIZE, channel=rng.choice(CHANNEL), names=NAMES)
    changes = []
    for _ in range(rng.choice([1, 1, 1, 2, 4])):
        xml, change = rng.choice([_attribute, _attribute, _attribute, _element, _letters])(xml, rng)
        changes.append(change)
    count = rng.choice([3, 3, 3, 3, 1, 2, 4])
    changes += [] if count == 3 else [f"{count} pages"]
    options = rng.choice([{}, {}, {"bigtiff": True}, {"byteorder": ">"}])

    def write(folder: Path) -> Path:
        return write_ome(folder / "image.ome.tif", xml, planes(count), **options)

    return ", ".join(changes), write


def _attribute(xml: str, rng: random.Random) -> tuple[str, str]:
    found = list(_ATTRIBUTE.finditer(xml))[3:]  # those before are XML's own
    if not found:
        return xml, "nothing"
    one = rng.choice(found)
    other = rng.choice(found)
    how = rng.choice(["set", "set", "set", "drop", "swap", "rename", "twice"])
    new = {
        "set": f'{one[1]}="{rng.choice(TEXTS)}"',
        "drop": "",
        "swap": f'{one[1]}="{other[2]}"',
        "rename": f'{other[1]}="{one[2]}"',
        "twice": f"{one[0]} {one[0]}",
    }[how]
    return xml[: one.start()] + new + xml[one.end() :], f"{one[0]} -> {new[:60]}"


def _element(xml: str, rng: random.Random) -> tuple[str, str]:
    found = list(_ELEMENT.finditer(xml))
    if not found:
        return xml, "nothing"
    one = rng.choice(found)
    how = rng.choice(["drop", "twice", "often", "before the others", "of another name"])
    new = {
        "drop": "",
        "twice": one[0] * 2,
        "often": one[0] * 300,
        "before the others": "",
        "of another name": one[0].replace(one[1], rng.choice(["Plane", "Image", "Pixels", "a:b", "Channel"])),
    }[how]
    changed = xml[: one.start()] + new + xml[one.end() :]
    if how == "before the others":
        changed = changed.replace("<Image", one[0] + "<Image", 1)
    return changed, f"{one[0][:50]} {how}"


def _letters(xml: str, rng: random.Random) -> tuple[str, str]:
    start = rng.randrange(60, len(xml))
    stop = start + rng.choice([0, 1, 1, 5, 40])
    new = rng.choice(["", "<", ">", '"', "&", "\x01", "é", "</OME>", "<!-- ", "]]>", "<a/>", "<!DOCTYPE a>"])
    return xml[:start] + new + xml[stop:], f"{xml[start:stop]!r} -> {new!r} at {start}"
