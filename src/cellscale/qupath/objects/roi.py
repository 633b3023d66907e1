"""Outlines of objects as QuPath's regions of interest."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from cellscale.cells.outline import Shapes
from cellscale.cells.shape_features import RoiForm, centroids, extents, roi_codes, stored_centroids
from cellscale.cells.text import Dialect, Rows
from cellscale.qupath.java.java_types import Encoded, JavaArray, JavaObject, Slot
from cellscale.qupath.java.serial_classes import (
    BYTE_ARRAY,
    CLOSED_SHAPE_STATISTICS,
    FLOAT_ARRAY,
    GEOMETRY_ROI,
    GEOMETRY_STATS,
    POLYGON_ROI,
    RECTANGLE_ROI,
)
from cellscale.qupath.objects.joined_rings import join_rings
from cellscale.qupath.objects.wkb import encode_wkb

__all__ = ["FORMS", "Part", "RoiBatch", "roi_columns", "roi_object"]

Part: TypeAlias = Callable[[str], Encoded | Slot]
"""Gives the varying part of that name: of one object, or a slot for that of many."""

FORMS = tuple(RoiForm)
"""The forms by the code that :class:`RoiBatch` gives them."""

_GEOMETRY, _POLYGON = FORMS.index(RoiForm.GEOMETRY), FORMS.index(RoiForm.POLYGON)
_PLANE = {"c": -1, "t": 0, "z": 0}
_Columns: TypeAlias = dict[str, tuple[Rows, ...]]


@dataclass(frozen=True, slots=True)
class RoiBatch:
    """Outlines and what QuPath stores of them."""

    shapes: Shapes

    forms: NDArray[np.int64]
    """Index in :data:`FORMS` of each outline, ``(n,)``."""

    extents: NDArray[np.float64]
    """Area and length in pixels, ``(n, 2)``."""

    centroids: NDArray[np.float32]
    """x and y in pixels, ``(n, 2)``; on QuPath's grid of 0.01 pixels for a geometry, which alone is kept that way."""

    vertices: NDArray[np.int32]
    """Vertices of the outlines, in the order of one ring for each polygon."""

    @classmethod
    def of(cls, shapes: Shapes, dialect: Dialect) -> "RoiBatch":
        """Measure outlines; QuPath 0.5 knows only one form for them."""
        codes = np.full(len(shapes), _GEOMETRY)
        vertices = shapes.vertices
        if dialect.conventions.shapes_by_kind:
            codes = roi_codes(shapes)
            rings = np.diff(shapes.ring_offsets[shapes.polygon_offsets])
            vertices, apart = join_rings(shapes, np.flatnonzero((codes == _POLYGON) & (rings > 1)))
            codes[apart] = _GEOMETRY
        on_grid = (codes == _GEOMETRY)[:, np.newaxis]
        places = np.where(on_grid, stored_centroids(shapes), centroids(shapes).astype(np.float32))
        return cls(shapes, codes, extents(shapes), places, vertices)


def roi_object(form: RoiForm, part: Part) -> JavaObject:
    """Return a region of interest whose varying parts are those of :func:`roi_columns`."""
    if form is RoiForm.RECTANGLE:
        sides = {name: part(name) for name in ("x", "x2", "y", "y2")}
        return JavaObject(RECTANGLE_ROI, {**_PLANE, **sides, "name": None})
    if form is RoiForm.POLYGON:
        statistics = JavaObject(
            CLOSED_SHAPE_STATISTICS, {name: part(name) for name, _ in CLOSED_SHAPE_STATISTICS.fields}
        )
        vertices = {name: JavaArray(FLOAT_ARRAY, part(name)) for name in ("x", "y")}
        return JavaObject(POLYGON_ROI, {**_PLANE, "name": None, "stats": statistics, **vertices})
    measured = {name: part(name) for name, signature in GEOMETRY_STATS.fields if signature == "D"}
    # QuPath's word for an outline that nobody has checked for self-intersections.
    stats = JavaObject(GEOMETRY_STATS, {**measured, "error": "Unknown"})
    return JavaObject(GEOMETRY_ROI, {**_PLANE, "stats": stats, "wkb": JavaArray(BYTE_ARRAY, part("wkb"))})


def roi_columns(batch: RoiBatch, form: RoiForm, rows: NDArray[np.int64]) -> _Columns:
    """Return the varying parts of some outlines, all of one form.

    Parameters
    ----------
    batch
        Outlines.
    form
        Their form.
    rows
        Which outlines, ``(n,)``.
    """
    if form is RoiForm.RECTANGLE:
        top, left, bottom, right = batch.shapes.boxes[rows].T
        return _fixed({"x": left, "x2": right, "y": top, "y2": bottom}, ">f8")
    if form is RoiForm.POLYGON:
        return _polygon_columns(batch, rows)
    return _geometry_columns(batch, rows)


def _geometry_columns(batch: RoiBatch, rows: NDArray[np.int64]) -> _Columns:
    top, left, bottom, right = batch.shapes.boxes[rows].T
    x, y = batch.centroids[rows].T
    area, length = batch.extents[rows].T
    bounds = {"boundsMaxX": right, "boundsMaxY": bottom, "boundsMinX": left, "boundsMinY": top}
    columns = _fixed({"area": area, **bounds, "centroidX": x, "centroidY": y, "length": length}, ">f8")
    data, offsets = encode_wkb(batch.shapes, rows)
    lengths = np.diff(offsets)
    columns["wkb"] = (Rows.of_array(lengths.astype(">i4")), Rows(data, offsets[:-1], lengths))
    return columns


def _polygon_columns(batch: RoiBatch, rows: NDArray[np.int64]) -> _Columns:
    shapes = batch.shapes
    top, left, bottom, right = shapes.boxes[rows].T
    x, y = batch.centroids[rows].T
    area, length = batch.extents[rows].T
    first = shapes.vertex_offsets[shapes.ring_offsets[shapes.polygon_offsets[rows]]]
    counts = shapes.vertex_offsets[shapes.ring_offsets[shapes.polygon_offsets[rows + 1]]] - first
    doubles = {
        "areaCached": area,
        "maxX": right,
        "maxY": bottom,
        "minX": left,
        "minY": top,
        "perimeterCached": length,
    }
    columns = _fixed(doubles, ">f8") | _fixed({"centroidXCached": x, "centroidYCached": y}, ">f4")
    columns |= _fixed({"nVertices": counts}, ">i4")
    for axis, name in enumerate("xy"):
        data = batch.vertices[:, axis].astype(">f4").view(np.uint8)
        columns[name] = (*columns["nVertices"], Rows(data, first * 4, counts * 4))
    return columns


def _fixed(values: Mapping[str, NDArray[Any]], dtype: str) -> _Columns:
    """Return columns of numbers."""
    return {name: (Rows.of_array(column.astype(dtype)),) for name, column in values.items()}
