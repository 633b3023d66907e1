"""The folder of one image in a project: its objects and what QuPath shows of them before it opens them."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from cellscale.annotations import DrawnRegion
from cellscale.cells.object_batches import CellBatch, ObjectKind
from cellscale.cells.text import Columns, Dialect
from cellscale.qupath.data_file import DataFile
from cellscale.qupath.edits.kept_objects import class_name
from cellscale.qupath.entry.image_server import server_builder, server_channels, server_id, server_metadata
from cellscale.qupath.entry.object_file import Replaced, replace_objects
from cellscale.qupath.gson import JsonObject, to_json
from cellscale.qupath.project_image import ProjectImage
from cellscale.storage.atomic import write_bytes
from cellscale.storage.uri import Location, exists, join, make_folder, read_bytes

__all__ = ["PROJECT_FILE", "EntryData", "entry_folder", "write_entry"]

PROJECT_FILE = "project.qpproj"
"""Name of the project's file in its folder."""

_PLURALS = MappingProxyType({ObjectKind.CELL: "Cells", ObjectKind.DETECTION: "Detections"})


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryData:
    """What an image's folder is written from, besides the objects."""

    image: ProjectImage
    kind: ObjectKind

    count: int
    """Number of objects."""

    root_id: str
    """UUID of the object that holds all others."""

    columns: Columns
    """Measurements to be written."""

    dialect: Dialect

    regions: Sequence[DrawnRegion] = ()
    """Regions that hold objects, by the index that the objects have."""

    staying: Sequence[DrawnRegion] = ()
    """Annotations of the file that hold no objects by an index, and stay."""

    thumbnail: bytes | None = None
    """JPEG file; None to leave the thumbnail to QuPath."""


def entry_folder(project: Location, entry_id: int) -> Location:
    """Return the folder of an image in a project."""
    return join(project, "data", str(entry_id))


def write_entry(project: Location, data: EntryData, batches: Iterable[CellBatch], now: int) -> Replaced:
    """Write the folder of an image; files that hold the same already stay as they are.

    Parameters
    ----------
    project
        Folder of the project.
    data
        All but the objects.
    batches
        The objects in their order, ``data.count`` in all; may be gone through several times.
    now
        Milliseconds since 1970, for the summary of objects that are new.

    Returns
    -------
    What became of the objects that were there, a person's work above all.

    Raises
    ------
    StorageError
        A file cannot be written.
    """
    folder = entry_folder(project, data.image.entry_id)
    make_folder(folder)
    info = data.image.info
    replaced = replace_objects(folder, _data_file(project, data), server_metadata(info), batches, image=info.uri)
    server = _server(data).encode()
    files = {"server.json": server} | ({"thumbnail.jpg": data.thumbnail} if data.thumbnail else {})
    if replaced.changed or not exists(join(folder, "summary.json")):
        files["summary.json"] = to_json(_summary(data, replaced, now), pretty=False).encode()
    for name, content in files.items():
        _write_if_new(join(folder, name), content)
    return replaced


def _data_file(project: Location, data: EntryData) -> DataFile:
    builder = server_builder(data.image.info)
    header: JsonObject = {
        "dataVersion": 3,
        "qupathVersion": data.dialect.conventions.writer,
        "server": builder,
        "id": server_id(builder),
    }
    return DataFile(
        header=to_json(header, pretty=False),
        root_id=data.root_id,
        entry=f"{join(project, PROJECT_FILE)}::{data.image.entry_id}",
        columns=data.columns,
        dialect=data.dialect,
        count=data.count,
        regions=data.regions,
        staying=data.staying,
    )


def _server(data: EntryData) -> str:
    builder = server_builder(data.image.info)
    if data.dialect.conventions.server_with_metadata:
        return to_json({"builder": builder, "metadata": builder["metadata"]}, pretty=False)
    return to_json(builder, pretty=True)


def _summary(data: EntryData, replaced: Replaced, now: int) -> JsonObject:
    info, count = data.image.info, data.count if replaced.count is None else replaced.count
    objects, annotations, detections = Counter({_PLURALS[data.kind]: count}), Counter[str](), Counter[str]()
    objects["Annotations"] += replaced.regions.total()
    annotations += replaced.regions
    if replaced.edited is not None:
        objects += replaced.edited.others
        annotations += replaced.edited.annotation_classes
        detections += replaced.edited.detection_classes
        detections += Counter(class_name(kept.path_class) for kept in replaced.edited.kept.values() if kept)
    detections["Unclassified"] += objects["Cells"] + objects["Detections"] + objects["Tiles"] - detections.total()
    return {
        "timestamp": now,
        "imageType": "FLUORESCENCE" if replaced.edited is None else replaced.edited.image_type,
        "server": {
            "width": info.width,
            "height": info.height,
            "sizeC": len(server_channels(info)),
            "sizeZ": info.focal_planes,
            "sizeT": info.time_points,
        },
        "hierarchy": {
            "nObjects": objects.total() + 1,
            "objectTypeCounts": {"Root objects": 1, **+objects},
            "annotationClassificationCounts": {**annotations},
            "detectionClassificationCounts": {**+detections},
        },
    }


def _write_if_new(location: Location, content: bytes) -> None:
    if not exists(location) or read_bytes(location) != content:
        write_bytes(location, content)
