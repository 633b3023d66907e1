"""The folder of one image in a project: its objects and what QuPath shows of them before it opens them."""

from collections.abc import Iterable
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from cellscale.cells.object_batches import CellBatch, ObjectKind
from cellscale.cells.object_ids import object_ids
from cellscale.cells.text import Columns, Dialect
from cellscale.qupath.data_file import DataFile
from cellscale.qupath.gson import JsonObject, to_json
from cellscale.qupath.image_server import server_builder, server_channels, server_id
from cellscale.qupath.object_file import replace_objects
from cellscale.qupath.project_images import ProjectImage
from cellscale.storage.atomic import write_bytes
from cellscale.storage.uri import Location, exists, join, make_folder, read_bytes

__all__ = ["PROJECT_FILE", "VERSIONS", "EntryData", "write_entry"]

PROJECT_FILE = "project.qpproj"
"""Name of the project's file in its folder."""

VERSIONS = MappingProxyType({Dialect.V0_5: "0.5.1", Dialect.V0_7: "0.7.0"})
"""The QuPath version that files of a dialect name as their writer."""

_PLURALS = MappingProxyType({ObjectKind.CELL: "Cells", ObjectKind.DETECTION: "Detections"})


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryData:
    """What an image's folder is written from, besides the objects."""

    image: ProjectImage
    kind: ObjectKind

    count: int
    """Number of objects."""

    columns: Columns
    """Measurements to be written."""

    dialect: Dialect

    thumbnail: bytes | None = None
    """JPEG file; None to leave the thumbnail to QuPath."""


def write_entry(project: Location, data: EntryData, batches: Iterable[CellBatch], now: int) -> None:
    """Write the folder of an image; files that hold the same already stay as they are.

    Parameters
    ----------
    project
        Folder of the project.
    data
        All but the objects.
    batches
        The objects in their order, ``data.count`` in all.
    now
        Milliseconds since 1970, for the summary of objects that are new.

    Raises
    ------
    StorageError
        A file cannot be written.
    """
    folder = join(project, "data", str(data.image.entry_id))
    make_folder(folder)
    is_new = replace_objects(folder, _data_file(project, data), batches)
    server = _server(data).encode()
    files = {"server.json": server} | ({"thumbnail.jpg": data.thumbnail} if data.thumbnail else {})
    if is_new or not exists(join(folder, "summary.json")):
        files["summary.json"] = to_json(_summary(data, now), pretty=False).encode()
    for name, content in files.items():
        _write_if_new(join(folder, name), content)


def _data_file(project: Location, data: EntryData) -> DataFile:
    builder = server_builder(data.image.info)
    header: JsonObject = {
        "dataVersion": 3,
        "qupathVersion": VERSIONS[data.dialect],
        "server": builder,
        "id": server_id(builder),
    }
    nothing = np.zeros(1, dtype=np.int64)
    return DataFile(
        header=to_json(header, pretty=False),
        root_id=object_ids(data.image.info.name, nothing, nothing)[0].decode("ascii"),
        entry=f"{join(project, PROJECT_FILE)}::{data.image.entry_id}",
        columns=data.columns,
        dialect=data.dialect,
        count=data.count,
    )


def _server(data: EntryData) -> str:
    builder = server_builder(data.image.info)
    if data.dialect is Dialect.V0_5:
        return to_json({"builder": builder, "metadata": builder["metadata"]}, pretty=False)
    return to_json(builder, pretty=True)


def _summary(data: EntryData, now: int) -> JsonObject:
    info = data.image.info
    counted: JsonObject = {_PLURALS[data.kind]: data.count} if data.count else {}
    unclassified: JsonObject = {"Unclassified": data.count} if data.count else {}
    return {
        "timestamp": now,
        "imageType": "FLUORESCENCE",
        "server": {
            "width": info.width,
            "height": info.height,
            "sizeC": len(server_channels(info)),
            "sizeZ": info.focal_planes,
            "sizeT": info.time_points,
        },
        "hierarchy": {
            "nObjects": data.count + 1,
            "objectTypeCounts": {"Root objects": 1, **counted},
            "annotationClassificationCounts": {},
            "detectionClassificationCounts": unclassified,
        },
    }


def _write_if_new(location: Location, content: bytes) -> None:
    if not exists(location) or read_bytes(location) != content:
        write_bytes(location, content)
