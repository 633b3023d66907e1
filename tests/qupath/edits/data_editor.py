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
    DETECTION,
    FLOAT_ARRAY,
    INTEGER,
    KNOWN,
    PATH_CLASS,
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


def drawn(kind: JavaClass = ANNOTATION, number: int = 1, **given) -> JavaObject:
    """Return an annotation or TMA core."""
    region = JavaObject(
        RECTANGLE_ROI, {"c": -1, "t": 0, "z": 0, "x": 1.5, "x2": 30.0, "y": 2.0, "y2": 40.25, "name": None}
    )
    return JavaObject(
        kind,
        contents=[
            given.get("name"),
            None,
            metadata_map(f"{number:08d}-aaaa-4aaa-8aaa-aaaaaaaaaaaa"),
            None,
            bytes(4),
            JavaObject(BOOLEAN, {"value": True}),
            given.get("path_class"),
            region,
            bytes.fromhex("7ff8000000000000"),
        ],
    )
