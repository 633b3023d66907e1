"""Outlines that QuPath saved, as the corners of pixels."""

import struct

import numpy as np
from numpy.typing import NDArray

from cellscale.cells.object_ids import vertex_keys
from cellscale.qupath.java.java_types import Encoded, JavaArray, JavaObject, Value

__all__ = ["region_key"]

_POLYGON, _MULTI_POLYGON = 3, 6
_FARTHEST = 2**31
_COUNT = 4
"""Bytes of the count before the elements of an array."""


def region_key(region: Value) -> tuple[int, int] | None:
    """Return what `outline_keys` gives for a region of interest, None for one that is not made of whole pixels."""
    if not isinstance(region, JavaObject):
        return None
    try:
        points = _points(region)
    except (struct.error, ValueError, TypeError, KeyError, IndexError):
        return None
    if points is None or not len(points) or not (np.abs(points) < _FARTHEST).all():
        return None
    vertices = points.astype(np.int32)
    if not (vertices == points).all():
        return None
    (key,) = vertex_keys(vertices, np.array([0, len(vertices)])).tolist()
    return int(key[0]), int(key[1])


def _points(region: JavaObject) -> NDArray[np.float64] | None:
    """Return the corners, ``(v, 2)``."""
    name, values = region.java_class.name.removeprefix("qupath.lib.roi."), region.values
    if name.startswith("GeometryROI"):
        return np.concatenate(_rings(_elements(values["wkb"]), 0)[0])
    if name.startswith("PolygonROI"):
        sides = [np.frombuffer(_elements(values[axis]), ">f4") for axis in "xy"]
        with np.errstate(invalid="ignore"):  # of damaged bytes that are no number; such corners are no whole pixels
            return np.stack(sides, axis=1).astype(np.float64)
    if name.startswith("RectangleROI"):
        x, x2, y, y2 = (values[side] for side in ("x", "x2", "y", "y2"))
        return np.array([[x, y], [x, y2], [x2, y2], [x2, y]], dtype=np.float64)
    return None


def _elements(array: object) -> bytes:
    if not isinstance(array, JavaArray) or not isinstance(array.values, Encoded):
        raise TypeError("no array of numbers")
    return bytes(array.values.data[_COUNT:])


def _rings(wkb: bytes, at: int) -> tuple[list[NDArray[np.float64]], int]:
    """Return the rings of one geometry, each without the repeated first point, and where it ends."""
    _, kind, count = struct.unpack_from(">bii", wkb, at)
    at += struct.calcsize(">bii")
    rings = []
    for _ in range(count):
        if kind == _MULTI_POLYGON:
            inner, at = _rings(wkb, at)
            rings += inner
        elif kind == _POLYGON:
            (points,) = struct.unpack_from(">i", wkb, at)
            rings.append(np.frombuffer(wkb, ">f8", 2 * points, at + 4).reshape(-1, 2)[:-1])
            at += 4 + 16 * points
        else:
            raise ValueError(f"a geometry of kind {kind}")
    return rings, at
