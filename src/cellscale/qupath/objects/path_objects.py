"""Cells and detections as QuPath's objects."""

from types import MappingProxyType
from typing import NamedTuple

from cellscale.cells.object_batches import ObjectKind
from cellscale.cells.shape_features import RoiForm
from cellscale.qupath.java.java_types import Content, JavaArray, JavaObject, Value
from cellscale.qupath.java.serial_classes import (
    ARRAY_LIST,
    BOOLEAN,
    CELL,
    DETECTION,
    FLOAT_ARRAY,
    FLOAT_LIST,
    INTEGER,
    METADATA_MAP,
    OBJECT_ARRAY,
)
from cellscale.qupath.objects.roi import Part, roi_object

__all__ = ["CommonAttributes", "array_list", "metadata_map", "path_object"]

_CLASSES = MappingProxyType({ObjectKind.CELL: CELL, ObjectKind.DETECTION: DETECTION})
_VERSION = JavaObject(INTEGER, {"value": 1})
_UNLOCKED = JavaObject(BOOLEAN, {"value": False})
_NO_PROBABILITY = bytes.fromhex("7ff8000000000000")
_NO_CHILDREN = bytes(4)


class CommonAttributes(NamedTuple):
    """What objects have in common that differ only in numbers."""

    kind: ObjectKind

    absent: bytes
    """Which measurements they lack, one bit for each."""

    form: RoiForm

    nucleus: RoiForm | None
    """Form of the nucleus's outline; None without nucleus."""

    path_class: JavaObject | None = None
    """Class that a person gave to them."""


def array_list(values: tuple[str, ...]) -> JavaObject:
    """Return a java.util.ArrayList of strings."""
    return JavaObject(ARRAY_LIST, {"size": len(values)}, (len(values).to_bytes(4, "big"), *values))


def metadata_map(object_id: Value) -> JavaObject:
    """Return an object's metadata: nothing but its id."""
    keys, values = JavaArray(OBJECT_ARRAY, ("Object ID",)), JavaArray(OBJECT_ARRAY, (object_id,))
    return JavaObject(METADATA_MAP, contents=(_VERSION, keys, values))


def path_object(look: CommonAttributes, names: JavaObject, part: Part) -> JavaObject:
    """Describe an object.

    Parameters
    ----------
    look
        What it has.
    names
        Names of its measurements, shared with other objects.
    part
        Gives what varies: ``id``, ``measurements``, and under ``outline.`` and ``nucleus.`` the parts of the regions.
    """
    measurements = {
        "isClosed": False,
        "map": None,
        "names": names,
        "values": JavaArray(FLOAT_ARRAY, part("measurements")),
    }
    contents: list[Content] = [
        None,  # name
        None,  # colour
        metadata_map(part("id")),
        JavaObject(FLOAT_LIST, measurements),
        _NO_CHILDREN,
        _UNLOCKED,
        look.path_class,
        roi_object(look.form, lambda name: part(f"outline.{name}")),
        _NO_PROBABILITY,
    ]
    if look.kind is ObjectKind.CELL:
        nucleus = look.nucleus and roi_object(look.nucleus, lambda name: part(f"nucleus.{name}"))
        contents.append(nucleus)
    return JavaObject(_CLASSES[look.kind], contents=contents)
