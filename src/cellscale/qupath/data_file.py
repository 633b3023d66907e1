"""QuPath's file of one image's objects, ``data.qpdata``."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from cellscale.annotations import DrawnRegion
from cellscale.cells.object_batches import CellBatch
from cellscale.cells.text import Columns, Dialect
from cellscale.qupath.java.java_stream import JavaStream, Sink, modified_utf8
from cellscale.qupath.java.java_types import Content, JavaEnum, JavaObject
from cellscale.qupath.java.serial_classes import (
    HASH_MAP,
    HIERARCHY,
    IMAGE_TYPE,
    LOCALE,
    ROOT,
    SINGLETON_MAP,
    WORKFLOW,
    WORKFLOW_STEP,
)
from cellscale.qupath.objects.object_encoder import ObjectEncoder
from cellscale.qupath.objects.path_objects import metadata_map

__all__ = ["DataFile", "contents_around", "write_data_file"]

_FORMAT = "Data file version 3"


@dataclass(frozen=True, slots=True, kw_only=True)
class DataFile:
    """What a data file holds besides the objects."""

    header: str
    """JSON that describes the image's server."""

    root_id: str
    """UUID of the root object."""

    entry: str
    """Location of the project, ``::`` and the entry's number: QuPath's link back."""

    columns: Columns
    """Measurements to be written."""

    dialect: Dialect
    """Decides how outlines are written: as geometries alone, or also as polygons and rectangles."""

    count: int
    """Number of objects."""

    regions: Sequence[DrawnRegion] = ()
    """Regions that hold objects, by the index that the objects have."""

    staying: Sequence[DrawnRegion] = ()
    """Annotations of the file that hold no objects by an index, and stay."""


def write_data_file(file: Sink, facts: DataFile, batches: Iterable[CellBatch]) -> None:
    """Write a data file; one batch at a time is in memory.

    Parameters
    ----------
    file
        Takes the file.
    facts
        All but the objects.
    batches
        The objects in their order, ``facts.count`` in all.

    Raises
    ------
    ValueError
        There are more or fewer objects than was said.
    """
    stream = JavaStream(file)
    stream.write(_contents(stream, facts, batches))


def _contents(stream: JavaStream, facts: DataFile, batches: Iterable[CellBatch]) -> Iterator[Content]:
    """Yield the file's contents in QuPath's order."""
    return contents_around(facts, JavaObject(ROOT, contents=_root(stream, facts, batches)))


def contents_around(facts: DataFile, root: JavaObject) -> Iterator[Content]:
    """Yield the contents of a file in QuPath's order, given the object that holds all others."""
    fluorescence = JavaEnum(IMAGE_TYPE, "FLUORESCENCE")
    name = modified_utf8(_FORMAT)
    yield len(name).to_bytes(2, "big") + name
    yield facts.header
    yield _english()
    yield fluorescence
    yield None  # colour deconvolution stains
    yield _workflow(fluorescence, facts.dialect)
    yield JavaObject(HIERARCHY, {"rootObject": root, "tmaGrid": None})
    yield _properties({"PROJECT_ENTRY_ID": facts.entry})
    yield "EOF"


def _root(stream: JavaStream, facts: DataFile, batches: Iterable[CellBatch]) -> Iterator[Content]:
    """Yield the root object's contents: the objects are its children."""
    yield None  # name
    yield None  # colour
    yield metadata_map(facts.root_id)
    yield None  # measurements
    yield facts.count.to_bytes(4, "big")
    encoder = ObjectEncoder(stream, facts.columns, facts.dialect)
    written = 0
    for batch in batches:
        yield from encoder.encode(batch)
        written += len(batch)
    if written != facts.count:
        raise ValueError(f"{facts.count} objects were announced, but {written} came")


def _english() -> JavaObject:
    """Return the locale in which numbers are written."""
    empty = dict.fromkeys(("country", "extensions", "script", "variant"), "")
    return JavaObject(LOCALE, {"hashcode": -1, "language": "en", **empty})


def _workflow(image_type: JavaEnum, dialect: Dialect) -> JavaObject:
    """Return the history of what was done in QuPath: the kind of image was set."""
    script = "setImageType('FLUORESCENCE')" + dialect.conventions.script_ends
    settings = JavaObject(SINGLETON_MAP, {"k": "Image type", "v": image_type})
    step = JavaObject(WORKFLOW_STEP, {"map": settings, "name": "Set image type", "script": script})
    version = count = (1).to_bytes(4, "big")
    return JavaObject(WORKFLOW, contents=(version + count, step))


def _properties(properties: dict[str, str]) -> JavaObject:
    """Return a java.util.HashMap of a few strings."""
    items = [text for item in properties.items() for text in item]
    sizes = (16).to_bytes(4, "big") + len(properties).to_bytes(4, "big")
    return JavaObject(HASH_MAP, {"loadFactor": 0.75, "threshold": 12}, (sizes, *items))
