"""Regions of interest as QuPath's files have them, damaged ones too."""

import struct

import pytest

from cellscale.qupath.edits.read_regions import region_key
from cellscale.qupath.java.java_types import Encoded, JavaArray, JavaClass, JavaObject

FLOATS = JavaClass("[F", 1, 2)
POLYGON = JavaClass("qupath.lib.roi.PolygonROI$SerializationProxy", 1, 2)


def polygon(*corners):
    """A polygon with corners of four bytes a number, as the file has them."""
    sides = [Encoded(struct.pack(">i", len(corners)) + b"".join(side)) for side in zip(*corners, strict=True)]
    return JavaObject(POLYGON, {axis: JavaArray(FLOATS, side) for axis, side in zip("xy", sides, strict=True)})


def packed(number):
    return struct.pack(">f", number)


@pytest.mark.parametrize("damaged", ["7f800001", "7fc00000", "7f800000", "7f7fffff"])
def test_corners_that_are_no_whole_pixels_are_those_of_no_object_of_ours(damaged):
    square = [(packed(x), packed(y)) for x, y in ((1, 1), (1, 3), (3, 3), (3, 1))]
    assert region_key(polygon(*square)) is not None
    assert region_key(polygon((bytes.fromhex(damaged), packed(1)), *square[1:])) is None
