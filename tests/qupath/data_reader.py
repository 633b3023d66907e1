"""QuPath's meaning of the objects in a ``data.qpdata``: plain Python values that compare field by field."""

import json
import struct
from dataclasses import dataclass, field
from typing import Any

from tests.qupath.java_reader import JavaArray, JavaEnum, JavaObject, read_java


@dataclass
class Roi:
    """A region of interest; rings begin anywhere in a file, but here at their smallest vertex."""

    form: str
    plane: tuple[int, int, int]
    stats: dict[str, Any] | None
    """QuPath writes those that it happened to compute."""

    polygons: list[list[list[tuple[float, float]]]]


@dataclass
class PathObject:
    """A cell or detection."""

    kind: str
    object_id: str
    measurements: dict[str, float]
    roi: Roi
    nucleus: Roi | None
    rest: dict[str, Any] = field(default_factory=dict)


@dataclass
class DataFile:
    """A whole file."""

    header: dict[str, Any]
    locale: dict[str, Any]
    image_type: str
    workflow: list[dict[str, Any]]
    root_id: str
    root_rest: dict[str, Any]
    objects: list[PathObject]
    properties: dict[str, str]


def read_data_file(data: bytes) -> DataFile:
    """Read a file's bytes."""
    name, header, locale, image_type, stains, workflow, hierarchy, properties, end = read_java(data)
    assert name == b"\x00\x13Data file version 3"
    assert stains is None
    assert end == "EOF"
    assert isinstance(image_type, JavaEnum)
    root = hierarchy.fields["rootObject"]
    assert hierarchy.fields["tmaGrid"] is None
    root_id, measurements, rest, children = _path_object(root)
    assert measurements is None
    steps = workflow.content
    assert steps[0] == struct.pack(">ii", 1, len(steps) - 1)
    return DataFile(
        header=json.loads(header),
        locale=locale.fields | {"content": locale.content},
        image_type=image_type.constant,
        workflow=[_step(step) for step in steps[1:]],
        root_id=root_id,
        root_rest=rest,
        objects=[_roi_object(child) for child in children],
        properties=_hash_map(properties),
    )


def _step(step: JavaObject) -> dict[str, Any]:
    settings = step.fields["map"]
    assert settings.name == "java.util.Collections$SingletonMap"
    return {**step.fields, "map": {settings.fields["k"]: settings.fields["v"].constant}}


def _path_object(thing: JavaObject) -> tuple[str, Any, dict[str, Any], list[Any]]:
    """Return id, measurements, the rest of what PathObject itself writes, and what follows."""
    name, color, metadata, measurements, *after = thing.content
    version, keys, values = metadata.content
    assert (metadata.name, version.fields["value"], keys.values) == (
        "qupath.lib.objects.MetadataMap",
        1,
        ["Object ID"],
    )
    rest = {"name": name, "color": color, "children": int.from_bytes(after[0][:4], "big")}
    after = [after[0][4:], *after[1:]] if after[0][4:] else after[1:]
    return values.values[0], measurements, rest, after


def _roi_object(thing: JavaObject) -> PathObject:
    object_id, measurements, rest, after = _path_object(thing)
    locked, path_class, roi, probability, *nucleus = after
    rest |= {"locked": locked.fields["value"], "class": path_class, "probability": probability.hex()}
    kind = thing.name.removeprefix("qupath.lib.objects.")
    assert len(nucleus) == (kind == "PathCellObject")
    return PathObject(
        kind, object_id, _measurements(measurements), _roi(roi), _roi(nucleus[0]) if any(nucleus) else None, rest
    )


def _measurements(measurements: JavaObject) -> dict[str, float]:
    assert measurements.name == "qupath.lib.measurements.NumericMeasurementList$FloatList"
    names, values = _list(measurements.fields["names"]), measurements.fields["values"].values
    assert len(set(names)) == len(names) == len(values)
    if measurements.fields["isClosed"]:
        places = {name: place.fields["value"] for name, place in _hash_map(measurements.fields["map"]).items()}
        assert places == {name: place for place, name in enumerate(names)}
    else:
        assert measurements.fields["map"] is None
    return dict(zip(names, values, strict=True))


def _list(thing: JavaObject) -> list[str]:
    if thing.name == "java.util.Collections$UnmodifiableList":
        return _list(thing.fields["list"])
    if thing.name == "java.util.CollSer":
        return thing.content[1:]
    assert thing.name == "java.util.ArrayList"
    capacity, *values = thing.content
    assert thing.fields["size"] == len(values)
    assert int.from_bytes(capacity, "big") >= 0
    return values


def _hash_map(thing: JavaObject) -> dict[Any, Any]:
    assert thing.name == "java.util.HashMap"
    sizes, *items = thing.content
    capacity, count = struct.unpack(">ii", sizes)
    assert count * 2 == len(items)
    assert thing.fields["loadFactor"] * capacity == thing.fields["threshold"]
    return dict(zip(items[::2], items[1::2], strict=True))


def _roi(thing: JavaObject) -> Roi:
    fields = dict(thing.fields)
    plane = (fields.pop("c"), fields.pop("z"), fields.pop("t"))
    form = thing.name.removeprefix("qupath.lib.roi.").partition("ROI")[0]
    if form == "Rectangle":
        assert fields.pop("name") is None
        left, right, top, bottom = (fields[side] for side in ("x", "x2", "y", "y2"))
        corners = [(left, top), (left, bottom), (right, bottom), (right, top)]
        return Roi(form, plane, fields, [[corners]])
    stats = fields["stats"] and fields["stats"].fields
    if form == "Polygon":
        assert fields["name"] is None
        ring = list(zip(fields["x"].values, fields["y"].values, strict=True))
        return Roi(form, plane, stats, [[_rotated(ring)]])
    assert isinstance(fields["wkb"], JavaArray)
    return Roi(form, plane, stats, sorted(_WkbReader(fields["wkb"].values).read_all()))


def _rotated(ring: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Begin a ring at its smallest vertex, and go to the smaller of the two neighbours."""
    start = ring.index(min(ring))
    turned = ring[start:] + ring[:start]
    return turned if turned[1] < turned[-1] else [turned[0], *turned[:0:-1]]


class _WkbReader:
    """Well-known binary, big-endian."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def read_all(self) -> list[list[list[tuple[float, float]]]]:
        polygons = self.polygons()
        assert self.at == len(self.data)
        return polygons

    def unpack(self, form: str) -> tuple[Any, ...]:
        values = struct.unpack_from(">" + form, self.data, self.at)
        self.at += struct.calcsize(">" + form)
        return values

    def polygons(self) -> list[list[list[tuple[float, float]]]]:
        order, kind, count = self.unpack("bii")
        assert order == 0
        if kind == 6:
            return [polygon for _ in range(count) for polygon in self.polygons()]
        assert kind == 3
        outer, *holes = (self.ring() for _ in range(count))
        return [[outer, *sorted(holes)]]

    def ring(self) -> list[tuple[float, float]]:
        (count,) = self.unpack("i")
        numbers = self.unpack(f"{2 * count}d")
        points = list(zip(numbers[::2], numbers[1::2], strict=True))
        assert points[0] == points[-1]
        return _rotated(points[:-1])
