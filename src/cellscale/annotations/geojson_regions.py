"""Regions from GeoJSON, as QuPath and others write it."""

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

import shapely

from cellscale.annotations.drawn_regions import DrawnRegion, DrawnRegions
from cellscale.errors import ImageError

__all__ = ["read_geojson"]

_KINDS = ("Polygon", "MultiPolygon", "GeometryCollection")
_OBJECTS = ("annotation", "tma_core")
_CIRCLE_SIDES = 64
"""Points of a quarter of a circle: the outline is off by less than 0.01 % of the radius."""
_SHOWN = 60
_ID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def read_geojson(data: bytes, source: str) -> DrawnRegions:
    """Return the regions of a GeoJSON file, in its order.

    A FeatureCollection, a list of Features, a Feature or a geometry; polygons with holes, multi-polygons, and
    circles: points with a ``radius`` in their properties. A region is called by its ``name``, else by its class
    (``classification``), else Region. Cells and detections are not regions, and are refused.

    Parameters
    ----------
    data
        The file's content.
    source
        Where it is, for messages.

    Raises
    ------
    ImageError
        It is no GeoJSON, has a coordinate system that is not an image's pixels, or a region that is no sound polygon.
    """
    try:
        content = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ImageError(f"{source}: it is no JSON ({error}); GeoJSON is expected") from error
    if isinstance(content, Mapping) and content.get("crs") is not None:
        found = _crs(content["crs"])
        raise ImageError(
            f"{source}: it has a coordinate system of its own (crs: {found}); regions are expected in the image's "
            "pixels, without one. Export them from the program that shows the image."
        )
    return DrawnRegions.named((_region(feature, source) for feature in _features(content, source)), source)


def _features(content: Any, source: str) -> Iterator[Mapping[str, Any]]:
    if isinstance(content, list):
        for item in content:
            yield from _features(item, source)
        return
    kind = content.get("type") if isinstance(content, Mapping) else type(content).__name__
    if kind == "FeatureCollection" and isinstance(content.get("features"), list):
        yield from _features(content["features"], source)
    elif kind == "Feature":
        yield content
    elif kind in (*_KINDS, "Point"):
        yield {"type": "Feature", "geometry": content, "properties": {}}
    else:
        raise ImageError(f"{source}: {str(kind)[:_SHOWN]!r} found; a GeoJSON FeatureCollection of polygons expected")


def _region(feature: Mapping[str, Any], source: str) -> DrawnRegion:
    properties = feature.get("properties")
    facts: Mapping[str, Any] = properties if isinstance(properties, Mapping) else {}
    name = _name(facts)
    what = facts.get("objectType", "annotation")
    if what not in _OBJECTS:
        raise ImageError(
            f"{source}: it has an object of the type {str(what)[:_SHOWN]!r}; annotations are expected. Export "
            "annotations alone."
        )
    geometry = feature.get("geometry")
    kind = geometry.get("type") if isinstance(geometry, Mapping) else None
    look = _look(feature, facts)
    if kind == "Point":
        return DrawnRegion(name, _circle(geometry, facts, name, source), **look)
    if kind not in _KINDS:
        raise ImageError(
            f"{source}: the region {name!r} is {f'a {kind}' if kind else 'without geometry'}; a polygon is expected, "
            "or a point with a radius among its properties"
        )
    if not _are_numbers(geometry):
        raise ImageError(f"{source}: the region {name!r} has corners that are no numbers")
    try:
        shape = shapely.force_2d(shapely.from_geojson(json.dumps(geometry)))
    except (shapely.errors.ShapelyError, ValueError, TypeError) as error:
        raise ImageError(f"{source}: the region {name!r} cannot be read ({error})") from error
    polygons = [part for part in shapely.get_parts(shape) if part.geom_type in ("Polygon", "MultiPolygon")]
    if kind == "GeometryCollection":
        shape = shapely.union_all(polygons)
    return DrawnRegion(name, shape, **look)


def _circle(geometry: Any, facts: Mapping[str, Any], name: str, source: str) -> shapely.Geometry:
    """Return the circle around a point."""
    numbers = [facts.get("radius"), *(geometry.get("coordinates") or ())][:3]
    if len(numbers) < 3 or not all(_is_length(number) for number in numbers) or not numbers[0] > 0:
        raise ImageError(
            f"{source}: the region {name!r} is a point without a radius; circles have a 'radius' in pixels among "
            "their properties"
        )
    radius, x, y = numbers
    return shapely.Point(x, y).buffer(radius, quad_segs=_CIRCLE_SIDES)


def _is_length(number: object) -> bool:
    if not isinstance(number, int | float) or isinstance(number, bool):
        return False
    try:
        return math.isfinite(number)
    except OverflowError:  # a whole number beyond all floats
        return False


def _are_numbers(geometry: object) -> bool:
    """Tell whether all coordinates of a geometry, and of those in it, are numbers."""
    parts: list[Any] = [geometry]
    while parts:
        part = parts.pop()
        if isinstance(part, Mapping):
            parts += [part.get("coordinates") or [], part.get("geometries") or []]
        elif isinstance(part, list):
            parts += part
        elif not _is_length(part):
            return False
    return True


def _crs(found: object) -> str:
    """Return what a coordinate system is called."""
    facts = found.get("properties") if isinstance(found, Mapping) else None
    name = facts.get("name") if isinstance(facts, Mapping) else None
    return name[:_SHOWN] if isinstance(name, str) else json.dumps(found)[:_SHOWN]


def _name(facts: Mapping[str, Any]) -> str:
    return _title(facts) or _path_class(facts) or "Region"


def _look(feature: Mapping[str, Any], facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return what QuPath shows of a region besides its outline."""
    classification = facts.get("classification")
    color = classification.get("color") if isinstance(classification, Mapping) else None
    is_color = isinstance(color, list) and len(color) == 3 and all(part in range(256) for part in color)
    object_id = feature.get("id")
    return {
        "object_id": object_id if isinstance(object_id, str) and _ID.fullmatch(object_id) else "",
        "title": _title(facts),
        "path_class": _path_class(facts),
        "color": tuple(color) if is_color and isinstance(color, list) else None,
    }


def _title(facts: Mapping[str, Any]) -> str | None:
    return _line(facts.get("name"))


def _path_class(facts: Mapping[str, Any]) -> str | None:
    classification = facts.get("classification")
    if not isinstance(classification, Mapping):
        return _line(classification)
    names = classification.get("names")
    joined = ": ".join(map(str, names)) if isinstance(names, list) else None
    return _line(classification.get("name")) or _line(joined)


def _line(text: object) -> str | None:
    """Return text in one line, None for none."""
    return (" ".join(text.split()) or None) if isinstance(text, str) else None
