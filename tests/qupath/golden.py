"""What QuPath's own classes wrote, as the input of ours."""

from pathlib import Path

import numpy as np

from cellscale.cells.object_batches import CellBatch, ObjectKind
from cellscale.cells.outline.shapes import Shapes
from cellscale.cells.text.columns import Columns
from tests.qupath.data_reader import DataFile, PathObject, Roi, read_data_file

CASES = ["BreastMIBI", "aniso", "chan8c", "nonuc", "order", "tiny", "tiny_nopx", "tiny_wholecell"]
VERSIONS = ["0.5.1", "0.7.0"]


def golden_project(shared: Path, case: str, version: str) -> Path:
    """Return the folder of a project."""
    return shared / "qupath" / "golden" / case / f"PROJ_{version}"


def golden_data(shared: Path, case: str, version: str) -> DataFile:
    """Return a data file, read."""
    return read_data_file((golden_project(shared, case, version) / "data" / "1" / "data.qpdata").read_bytes())


def shapes_of(rois: list[Roi]) -> Shapes:
    """Return outlines in the order and orientation that the tracing gives."""
    polygons = [polygon for roi in rois for polygon in roi.polygons]
    rings = [_oriented(ring, index == 0) for polygon in polygons for index, ring in enumerate(polygon)]
    vertices = np.array([point for ring in rings for point in ring], dtype=np.int32).reshape(-1, 2)
    boxes = []
    for roi in rois:
        points = np.array([point for polygon in roi.polygons for point in polygon[0]])
        boxes.append([*points.min(axis=0)[::-1], *points.max(axis=0)[::-1]])
    return Shapes(
        labels=np.arange(1, len(rois) + 1),
        boxes=np.array(boxes, dtype=np.int64).reshape(-1, 4),
        polygon_offsets=_offsets([len(roi.polygons) for roi in rois]),
        ring_offsets=_offsets([len(polygon) for polygon in polygons]),
        vertex_offsets=_offsets([len(ring) for ring in rings]),
        vertices=vertices,
    )


def columns_of(objects: list[PathObject]) -> Columns:
    """Return every measurement name in the order of its first appearance among the fullest objects."""
    fullest = sorted(objects, key=lambda item: -len(item.measurements))
    names = tuple(dict.fromkeys(name for item in fullest for name in item.measurements))
    return Columns(names, np.arange(len(names)))


def batch_of(objects: list[PathObject], columns: Columns, start: int = 0) -> CellBatch:
    """Return objects as the measurement would hand them over."""
    nuclei = [item.nucleus for item in objects if item.nucleus is not None]
    has_nucleus = np.array([item.nucleus is not None for item in objects], dtype=bool)
    values = [[item.measurements.get(name, np.nan) for name in columns.names] for item in objects]
    absent = [[name not in item.measurements for name in columns.names] for item in objects]
    return CellBatch(
        start=start,
        kind=ObjectKind.DETECTION if objects[0].kind == "PathDetectionObject" else ObjectKind.CELL,
        ids=np.array([item.object_id.encode() for item in objects]),
        cell_labels=np.arange(1, len(objects) + 1),
        nucleus_labels=has_nucleus.cumsum() * has_nucleus,
        outlines=shapes_of([item.roi for item in objects]),
        nuclei=shapes_of(nuclei),
        nucleus_rows=np.where(has_nucleus, has_nucleus.cumsum() - 1, -1),
        values=np.array(values, dtype=np.float32),
        absent=np.array(absent, dtype=bool),
    )


def _oriented(ring, outer: bool):
    """Run outer rings downward on their left side, and holes the other way round."""
    points = np.array(ring)
    x, y = points.T
    area = (x * np.roll(y, -1) - np.roll(x, -1) * y).sum()
    return ring if (area < 0) == outer else ring[::-1]


def _offsets(counts: list[int]):
    return np.concatenate([[0], np.cumsum(counts, dtype=np.int64)]).astype(np.int64)
