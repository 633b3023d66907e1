"""Outlines and measurements as JSON text, many at a time."""

import json
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cellscale.cells.outline.shapes import Shapes
from cellscale.cells.text.decimal_text import Texts
from cellscale.cells.text.shortest_text import WIDTH, unusual_texts, write_shortest
from cellscale.compiled import kernel

__all__ = ["geometry_texts", "measurement_texts"]

POLYGON = np.frombuffer(b'{"type":"Polygon","coordinates":', dtype=np.uint8)
MULTIPOLYGON = np.frombuffer(b'{"type":"MultiPolygon","coordinates":', dtype=np.uint8)

OPEN, CLOSE, COMMA, BRACE, ZERO = b"[],}0"


def geometry_texts(shapes: Shapes) -> Texts:
    """Return each outline as a GeoJSON geometry: a Polygon, or a MultiPolygon for an object in several parts."""
    data, offsets = _geometries(
        shapes.vertices,
        shapes.polygon_offsets,
        shapes.ring_offsets,
        shapes.vertex_offsets,
        POLYGON,
        MULTIPOLYGON,
    )
    return Texts(data, offsets)


def measurement_texts(names: Sequence[str], values: NDArray[np.float32], absent: NDArray[np.bool_]) -> Texts:
    """Return the measurements of each object as the members of a JSON object.

    Measurements that are absent, NaN or infinite, for which JSON has no number, are left out.

    Parameters
    ----------
    names
        Names of the measurements, ``(m,)``.
    values, absent
        Measurements and where there are none, ``(n, m)``.
    """
    there = np.where(absent, np.float32(np.nan), values)
    keys = [f"{json.dumps(name, ensure_ascii=False)}:".encode() for name in names]
    data = np.frombuffer(b"".join(keys) or b" ", dtype=np.uint8)
    bounds = np.cumsum([0, *map(len, keys)])
    return Texts(*_members(there, there.view(np.int32), *unusual_texts(there.ravel()), data, bounds))


@kernel
def _members(
    values: NDArray[np.float32],
    bits: NDArray[np.int32],
    unusual: NDArray[np.uint8],
    unusual_offsets: NDArray[np.int32],
    keys: NDArray[np.uint8],
    key_offsets: NDArray[np.int64],
) -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
    """Write keys and numbers; where a number is not finite its key is left out."""
    count, columns = values.shape
    offsets = np.zeros(count + 1, dtype=np.int32)
    out = np.empty(count * (len(keys) + columns * (1 + WIDTH)), dtype=np.uint8)
    place, word = 0, 0
    for index in range(count):
        is_first = True
        for column in range(columns):
            if not np.isfinite(values[index, column]):
                continue
            if not is_first:
                out[place] = COMMA
                place += 1
            is_first = False
            start = place = _copy(keys[key_offsets[column] : key_offsets[column + 1]], out, place)
            place = write_shortest(out, start, np.float64(values[index, column]), bits[index, column])
            if place == start:
                place = _copy(unusual[unusual_offsets[word] : unusual_offsets[word + 1]], out, place)
                word += 1
        offsets[index + 1] = place
    return out[:place], offsets


@kernel
def _geometries(
    vertices: NDArray[np.int32],
    polygon_offsets: NDArray[np.int64],
    ring_offsets: NDArray[np.int64],
    vertex_offsets: NDArray[np.int64],
    polygon_head: NDArray[np.uint8],
    multipolygon_head: NDArray[np.uint8],
) -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
    """Write geometry after geometry."""
    objects, rings = len(polygon_offsets) - 1, len(vertex_offsets) - 1
    offsets = np.zeros(objects + 1, dtype=np.int32)
    # A vertex takes at most 2 x 11 digits, brackets and commas; each ring repeats its first one.
    room = (len(multipolygon_head) + 4) * objects + 26 * (len(vertices) + rings) + 6 * rings
    out = np.empty(room, dtype=np.uint8)
    place = 0
    for index in range(objects):
        start, stop = polygon_offsets[index], polygon_offsets[index + 1]
        several = stop - start > 1
        place = _copy(multipolygon_head if several else polygon_head, out, place)
        if several:
            place = _put(OPEN, out, place)
        for polygon in range(start, stop):
            if polygon > start:
                place = _put(COMMA, out, place)
            place = _put(OPEN, out, place)
            for ring in range(ring_offsets[polygon], ring_offsets[polygon + 1]):
                if ring > ring_offsets[polygon]:
                    place = _put(COMMA, out, place)
                place = _write_ring(vertices[vertex_offsets[ring] : vertex_offsets[ring + 1]], out, place)
            place = _put(CLOSE, out, place)
        if several:
            place = _put(CLOSE, out, place)
        place = _put(BRACE, out, place)
        offsets[index + 1] = place
    return out[:place], offsets


@kernel
def _write_ring(ring: NDArray[np.int32], out: NDArray[np.uint8], place: int) -> int:
    """Write a ring, its first vertex again at the end, and return the place after it."""
    place = _put(OPEN, out, place)
    for index in range(len(ring) + 1):
        if index:
            place = _put(COMMA, out, place)
        vertex = index % len(ring)
        place = _put(OPEN, out, place)
        place = _write_number(ring[vertex, 0], out, place)
        place = _put(COMMA, out, place)
        place = _write_number(ring[vertex, 1], out, place)
        place = _put(CLOSE, out, place)
    return _put(CLOSE, out, place)


@kernel
def _write_number(number: int, out: NDArray[np.uint8], place: int) -> int:
    """Write a whole number from 0 up, and return the place after it."""
    digits, left = 1, number // 10
    while left:
        digits, left = digits + 1, left // 10
    for back in range(1, digits + 1):
        out[place + digits - back] = ZERO + number % 10
        number //= 10
    return place + digits


@kernel
def _put(byte: int, out: NDArray[np.uint8], place: int) -> int:
    """Write one byte, and return the place after it."""
    out[place] = byte
    return place + 1


@kernel
def _copy(text: NDArray[np.uint8], out: NDArray[np.uint8], place: int) -> int:
    """Write a text, and return the place after it."""
    # A slice whose own index runs from 0 compiles to a block copy; computed indices do not.
    target = out[place : place + len(text)]
    for index in range(len(target)):
        target[index] = text[index]
    return place + len(text)
