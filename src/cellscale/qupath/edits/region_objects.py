"""Regions as annotations, which hold the cells whose centres lie in them."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from uuid import UUID

import shapely

from cellscale.annotations import DrawnRegion
from cellscale.qupath.edits.edited_objects import Edited
from cellscale.qupath.edits.kept_objects import CHILDREN, children_of, class_name, object_id, region_of
from cellscale.qupath.java.java_types import Encoded, JavaArray, JavaObject
from cellscale.qupath.java.serial_classes import ANNOTATION, BOOLEAN, BYTE_ARRAY, GEOMETRY_ROI
from cellscale.qupath.objects.path_classes import PathClasses, class_parts
from cellscale.qupath.objects.path_objects import metadata_map
from cellscale.qupath.objects.roi_geometry import roi_geometry

__all__ = ["made_regions", "place_regions", "placed_regions", "region_ids"]

_NO_PROBABILITY = bytes.fromhex("7ff8000000000000")


def region_ids(regions: Sequence[DrawnRegion], root_id: str) -> list[str]:
    """Return the id of each region's object: that which it has in QuPath, else one that is the same each time."""
    ids: list[str] = []
    for region in regions:
        known = region.object_id
        ids.append(known if known and known not in ids else _own_id(region, root_id))
    return ids


def placed_regions(
    regions: Sequence[DrawnRegion], staying: Sequence[DrawnRegion], root_id: str
) -> tuple[DrawnRegion, ...]:
    """Return regions, and after them those annotations that stay and are none of these."""
    known = set(region_ids(regions, root_id))
    return (*regions, *(one for one in staying if one.object_id not in known))


def place_regions(edited: Edited, regions: Sequence[DrawnRegion], root_id: str) -> list[JavaObject]:
    """Return the object of each region: one that is in the file, else a new annotation, put into it.

    Annotations that were made of other regions, and that nobody has touched, leave the file.
    """
    ids = region_ids(regions, root_id)
    _take_out(edited, [one for one in edited.made if one not in ids], root_id)
    classes = PathClasses({one.path_class: one.color for one in regions if one.path_class and one.color})
    objects, new = [], []
    for region, one in zip(regions, ids, strict=True):
        if one not in edited.drawn:
            edited.drawn[one] = _annotation(region, one, classes)
            edited.made.add(one)
            new.append(edited.drawn[one])
        objects.append(edited.drawn[one])
    children = children_of(edited.root)
    _set_children(edited.root, [*children, *new])
    return objects


def made_regions(regions: Sequence[DrawnRegion], edited: Edited, root_id: str) -> Counter[str]:
    """Return the annotations of regions that are not counted among a person's, by class."""
    counted = edited.drawn.keys() - edited.made
    ids = region_ids(regions, root_id)
    return Counter(
        region.path_class or "Unclassified" for region, one in zip(regions, ids, strict=True) if one not in counted
    )


def _own_id(region: DrawnRegion, root_id: str) -> str:
    look = repr((root_id, region.title, region.path_class)).encode()
    digest = bytearray(hashlib.blake2b(look + _wkb(region.geometry), digest_size=16).digest())
    digest[6] = digest[6] & 0x0F | 0x80
    digest[8] = digest[8] & 0x3F | 0x80
    return str(UUID(bytes=bytes(digest)))


def _wkb(geometry: shapely.Geometry) -> bytes:
    encoded: bytes = shapely.to_wkb(geometry, byte_order=0, output_dimension=2)
    return encoded


def _annotation(region: DrawnRegion, identity: str, classes: PathClasses) -> JavaObject:
    wkb = _wkb(region.geometry)
    data = JavaArray(BYTE_ARRAY, Encoded(len(wkb).to_bytes(4, "big") + wkb))
    parts = class_parts(region.path_class or "")
    return JavaObject(
        ANNOTATION,
        contents=[
            region.title,
            None,  # colour
            metadata_map(identity),
            None,  # measurements
            bytes(4),
            JavaObject(BOOLEAN, {"value": False}),
            classes.of(parts) if parts else None,
            JavaObject(GEOMETRY_ROI, {"c": -1, "t": 0, "z": 0, "stats": None, "wkb": data}),
            _NO_PROBABILITY,
        ],
    )


def _take_out(edited: Edited, ids: Sequence[str], root_id: str) -> None:
    """Take annotations of earlier regions out of the root; those that a person worked on stay, as theirs."""
    gone = set()
    for one in ids:
        thing = edited.drawn[one]
        if thing in children_of(edited.root) and _is_as_made(thing, one, root_id):
            gone.add(one)
            del edited.drawn[one]
        else:
            edited.others["Annotations"] += 1
            edited.annotation_classes[_class_of(thing) or "Unclassified"] += 1
        edited.made.discard(one)
    left = [child for child in children_of(edited.root) if object_id(child) not in gone]
    _set_children(edited.root, left)
    edited.parents = {name: thing for name, thing in edited.parents.items() if object_id(thing) not in gone}


def _is_as_made(thing: JavaObject, identity: str, root_id: str) -> bool:
    """Tell whether an annotation is as it was made, with nothing of a person's in it."""
    contents = thing.contents
    assert isinstance(contents, list)  # `object_id` has looked
    title = contents[0] if isinstance(contents[0], str) else None
    geometry = None if children_of(thing) else roi_geometry(region_of(thing))
    if geometry is None:
        return False
    region = DrawnRegion("", geometry, title=title, path_class=_class_of(thing))
    return contents[1] is None and _own_id(region, root_id) == identity


def _class_of(thing: JavaObject) -> str | None:
    place, contents = CHILDREN + len(children_of(thing)) + 1, thing.contents
    assert isinstance(contents, list)  # `children_of` has looked
    path_class = contents[place]
    return class_name(path_class) if isinstance(path_class, JavaObject) else None


def _set_children(parent: JavaObject, children: Sequence[JavaObject]) -> None:
    """Give other children to the object that holds all others."""
    count, contents = len(children_of(parent)), parent.contents
    assert isinstance(contents, list)  # `children_of` has looked
    contents[CHILDREN - 1 : CHILDREN + count] = [len(children).to_bytes(4, "big"), *children]
