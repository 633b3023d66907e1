"""What a person does in QuPath, done by our reader and writer, which are held to QuPath's own files."""

import struct
from io import BytesIO
from pathlib import Path

from cellscale.qupath.java.java_reader import JavaReader
from cellscale.qupath.java.java_stream import JavaStream
from cellscale.qupath.java.java_types import (
    EXTERNALIZABLE,
    SERIALIZABLE,
    Encoded,
    JavaArray,
    JavaClass,
    JavaEnum,
    JavaObject,
)
from cellscale.qupath.java.serial_classes import (
    BOOLEAN,
    BYTE_ARRAY,
    DETECTION,
    FLOAT_ARRAY,
    GEOMETRY_ROI,
    INTEGER,
    KNOWN,
    PATH_CLASS,
    POLYGON_ROI,
    RECTANGLE_ROI,
)
from cellscale.qupath.objects.path_objects import array_list, metadata_map

ROI_OBJECT = DETECTION.parent
ANNOTATION = JavaClass("qupath.lib.objects.PathAnnotationObject", 1, EXTERNALIZABLE, (), ROI_OBJECT)
CORE = JavaClass("qupath.lib.objects.TMACoreObject", 1, EXTERNALIZABLE, (), ROI_OBJECT)
GRID = JavaClass(
    "qupath.lib.objects.hierarchy.DefaultTMAGrid",
    1,
    SERIALIZABLE,
    (("gridWidth", "I"), ("cores", "Ljava/util/List;")),
)
PLANE = {"c": -1, "t": 0, "z": 0}
_CORNERS = tuple((name, "D") for name in ("x", "x2", "y", "y2"))
ELLIPSE_ROI = JavaClass(
    "qupath.lib.roi.EllipseROI$SerializationProxy",
    1,
    SERIALIZABLE,
    (("c", "I"), ("t", "I"), *_CORNERS, ("z", "I"), ("name", "Ljava/lang/String;")),
)
LINE_ROI = JavaClass("qupath.lib.roi.LineROI$SerializationProxy", 1, SERIALIZABLE, ELLIPSE_ROI.fields)
AREA_ROI = JavaClass(
    "qupath.lib.roi.AreaROI$SerializationProxy",
    1,
    SERIALIZABLE,
    (("c", "I"), ("t", "I"), ("z", "I"), ("name", "Ljava/lang/String;"), ("x", "[[F"), ("y", "[[F")),
)
RINGS = JavaClass("[[F", 8692400182170424225, SERIALIZABLE)
TUMOR = JavaObject(PATH_CLASS, {"colorRGB": JavaObject(INTEGER, {"value": -1}), "name": "Tumor", "parentClass": None})


class Edit:
    """A data file that is open for changes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.contents = JavaReader(path.read_bytes(), KNOWN, lambda reader, thing, place: thing).read()
        self.hierarchy = next(
            thing for thing in self.contents if isinstance(thing, JavaObject) and "Hierarchy" in thing.java_class.name
        )
        self.root = self.hierarchy.values["rootObject"]

    def save(self) -> None:
        """Write the file as QuPath does when it saves."""
        stream = BytesIO()
        JavaStream(stream).write(self.contents)
        self.path.write_bytes(stream.getvalue())

    def cells(self, parent=None) -> dict:
        """Return the children of an object by their ids."""
        return {text_id(child): child for child in children(parent or self.root)}

    def add(self, thing, parent=None) -> None:
        """Add an object."""
        change_children(parent or self.root, [*children(parent or self.root), thing])

    def set_image_type(self, name: str) -> None:
        """Set what kind of image it is."""
        place = next(place for place, thing in enumerate(self.contents) if isinstance(thing, JavaEnum))
        self.contents[place] = JavaEnum(self.contents[place].java_class, name)


def count_of(thing) -> int:
    """Return the number of children."""
    return struct.unpack(">i", thing.contents[4][:4])[0]


def children(thing) -> list:
    """Return the children of an object."""
    return thing.contents[5 : 5 + count_of(thing)]


def change_children(thing, new) -> None:
    """Give other children to an object."""
    rest = thing.contents[5 + count_of(thing) :]
    thing.contents[4:] = [struct.pack(">i", len(new)), *new, *rest]


def text_id(thing) -> str:
    """Return the id of an object."""
    _, keys, values = thing.contents[2].contents
    return values.values[list(keys.values).index("Object ID")]


def after_children(thing) -> list:
    """Return locked, class, region, probability and, of cells, nucleus."""
    return thing.contents[5 + count_of(thing) :]


def classify(thing, path_class=TUMOR) -> None:
    """Give a class to an object."""
    thing.contents[5 + count_of(thing) + 1] = path_class


def measurements(thing) -> dict:
    """Return the measurements of an object."""
    found = thing.contents[3].values
    data = found["values"].values.data
    numbers = struct.unpack(f">{(len(data) - 4) // 4}f", data[4:])
    names = found["names"].contents[1:]
    return dict(zip(names, numbers[: len(names)], strict=True))  # a list of QuPath's may have room for more


def measure(thing, name: str, value: float) -> None:
    """Add a measurement."""
    found = {**measurements(thing), name: value}
    data = struct.pack(f">i{len(found)}f", len(found), *found.values())
    thing.contents[3].values.update(names=array_list(tuple(found)), values=JavaArray(FLOAT_ARRAY, Encoded(data)))


def rectangle(x: float, y: float, x2: float, y2: float, java_class: JavaClass = RECTANGLE_ROI) -> JavaObject:
    """Return a region between corners: a rectangle, or what has the same fields."""
    return JavaObject(java_class, {**PLANE, "x": x, "x2": x2, "y": y, "y2": y2, "name": None})


def geometry(wkb: bytes) -> JavaObject:
    """Return a region of any form."""
    data = JavaArray(BYTE_ARRAY, Encoded(struct.pack(">i", len(wkb)) + wkb))
    return JavaObject(GEOMETRY_ROI, {**PLANE, "stats": None, "wkb": data})


def polygon(*points: tuple[float, float]) -> JavaObject:
    """Return a region of one ring."""
    sides = {axis: floats(values) for axis, values in zip("xy", zip(*points, strict=True), strict=True)}
    return JavaObject(POLYGON_ROI, {**PLANE, "name": None, "stats": None, **sides})


def floats(values) -> JavaArray:
    """Return an array of float32."""
    return JavaArray(FLOAT_ARRAY, Encoded(struct.pack(f">i{len(values)}f", len(values), *values)))


def drawn(kind: JavaClass = ANNOTATION, number: int = 1, **given) -> JavaObject:
    """Return an annotation or TMA core, with what is inside of it."""
    region = given.get("region", rectangle(1.5, 2.0, 30.0, 40.25))
    inside = given.get("children", ())
    missing = bytes([given.get("missing", False)]) if kind is CORE else b""
    return JavaObject(
        kind,
        contents=[
            given.get("name"),
            None,
            metadata_map(f"{number:08d}-aaaa-4aaa-8aaa-aaaaaaaaaaaa"),
            None,
            struct.pack(">i", len(inside)),
            *inside,
            JavaObject(BOOLEAN, {"value": True}),
            given.get("path_class"),
            region,
            bytes.fromhex("7ff8000000000000") + missing,
        ],
    )
