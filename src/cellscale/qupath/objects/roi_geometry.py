"""Regions of interest of any form, as QuPath saved them, as geometries."""

import numpy as np
import shapely
from numpy.typing import NDArray

from cellscale.qupath.java.java_reader import UnreadableError
from cellscale.qupath.java.java_types import Encoded, JavaArray, JavaObject, Value

__all__ = ["roi_geometry"]

_PACKAGE = "qupath.lib.roi."
_WITHOUT_AREA = ("LineROI", "PolylineROI", "PointsROI")
_ELLIPSE_SIDES = 64
"""Points of a quarter of an ellipse, as for circles in GeoJSON."""
_COUNT = 4
"""Bytes of the count before the elements of an array."""


def roi_geometry(region: Value) -> shapely.Geometry | None:
    """Return a region in pixels: a polygon or several; None for points and lines, which have no area.

    Raises
    ------
    UnreadableError
        It is of a form that is not known, or damaged.
    """
    if not isinstance(region, JavaObject):
        return None
    name, values = region.java_class.name.removeprefix(_PACKAGE), region.values
    if name.startswith(_WITHOUT_AREA):
        return None
    try:
        if name.startswith("GeometryROI"):
            return _with_area(shapely.from_wkb(_elements(values["wkb"])))
        if name.startswith("PolygonROI"):
            return shapely.Polygon(_points(values["x"], values["y"]))
        if name.startswith("AreaROI"):
            return _of_rings(values["x"], values["y"])
        if name.startswith(("RectangleROI", "EllipseROI")):
            x, x2, y, y2 = (_number(values[side]) for side in ("x", "x2", "y", "y2"))
            if name.startswith("RectangleROI"):
                return shapely.box(x, y, x2, y2)
            circle = shapely.Point(0, 0).buffer(1, quad_segs=_ELLIPSE_SIDES)
            scale, centre = np.array([x2 - x, y2 - y]) / 2, np.array([x + x2, y + y2]) / 2
            return shapely.transform(circle, lambda points: points * scale + centre)
    except (shapely.errors.ShapelyError, KeyError, TypeError, ValueError) as error:
        raise UnreadableError(f"an outline ({name}) is damaged") from error
    raise UnreadableError(f"an outline is of a form that is not known ({region.java_class.name})")


def _with_area(geometry: shapely.Geometry) -> shapely.Geometry | None:
    """Return the polygons of a geometry; None where it has none."""
    if geometry.geom_type in ("Polygon", "MultiPolygon"):
        return geometry
    polygons = [part for part in shapely.get_parts(geometry) if part.geom_type in ("Polygon", "MultiPolygon")]
    return shapely.union_all(polygons) if polygons else None


def _of_rings(x: object, y: object) -> shapely.Geometry:
    """Return what is inside an odd number of rings."""
    found = shapely.Polygon()
    for ring in zip(_parts(x), _parts(y), strict=True):
        found = shapely.symmetric_difference(found, shapely.make_valid(shapely.Polygon(_points(*ring))))
    return found


def _points(x: object, y: object) -> NDArray[np.float64]:
    points = [np.frombuffer(_elements(axis), ">f4").astype(np.float64) for axis in (x, y)]
    return np.stack(points, axis=1)


def _parts(array: object) -> tuple[Value, ...]:
    if not isinstance(array, JavaArray) or not isinstance(array.values, tuple):
        raise TypeError("no array of arrays")
    return array.values


def _elements(array: object) -> bytes:
    if not isinstance(array, JavaArray) or not isinstance(array.values, Encoded):
        raise TypeError("no array of numbers")
    return bytes(array.values.data[_COUNT:])


def _number(value: object) -> float:
    if not isinstance(value, int | float):
        raise TypeError("no number")
    return float(value)
