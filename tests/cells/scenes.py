"""Masks, images and QuPath's golden cases for the tests of this folder."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import tifffile
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from numpy.typing import NDArray

from cellscale.cells.measure import measure
from cellscale.cells.measurement import Measurement
from cellscale.cells.outline.packed_outlines import shapes_of
from cellscale.cells.outline.shapes import Shapes
from cellscale.cells.outline.tracing import trace
from cellscale.images.info import PixelSize
from cellscale.regions import Region, RegionReader

GOLDEN_CASES = ("tiny", "tiny_nopx", "tiny_wholecell", "order", "aniso", "chan8c", "BreastMIBI")


def reader(array: NDArray[Any]) -> RegionReader:
    """Read an array by region."""
    return lambda region: array[region.slices]


def measured(
    cells: NDArray[Any] | None, nuclei: NDArray[Any] | None, channels: Any = (), **options: Any
) -> Measurement:
    """Measure arrays."""
    channels = list(channels)
    shape = (nuclei if cells is None else cells).shape
    given = {"channel_names": [f"C{index}" for index in range(len(channels))], "image_name": "image", "workers": 2}
    return measure(
        cells=None if cells is None else reader(cells),
        nuclei=None if nuclei is None else reader(nuclei),
        channels=[reader(np.asarray(channel)) for channel in channels],
        shape=shape,
        **(given | options),
    )


def traced(mask: NDArray[Any]) -> Shapes:
    """Trace all labels of a mask that is held in memory."""
    labels = np.unique(mask[mask > 0]).astype(np.int64)
    boxes = np.empty((len(labels), 4), dtype=np.int64)
    for index, label in enumerate(labels):
        y, x = np.nonzero(mask == label)
        boxes[index] = y.min(), x.min(), y.max() + 1, x.max() + 1
    region = Region(0, 0, *mask.shape)
    records = trace(np.ascontiguousarray(mask, dtype=np.uint32), region, labels.astype(np.uint32), boxes)
    return shapes_of(records, labels, boxes)


def rings(shapes: Shapes, index: int) -> list[list[NDArray[np.int32]]]:
    """Return an object's polygons as lists of rings."""
    return [
        [
            shapes.vertices[shapes.vertex_offsets[ring] : shapes.vertex_offsets[ring + 1]]
            for ring in range(shapes.ring_offsets[polygon], shapes.ring_offsets[polygon + 1])
        ]
        for polygon in range(shapes.polygon_offsets[index], shapes.polygon_offsets[index + 1])
    ]


def label_masks(side: int = 14, labels: int = 3) -> st.SearchStrategy[NDArray[np.uint32]]:
    """Draw small masks, full of holes, pieces and corners that touch."""
    shapes = st.tuples(st.integers(1, side), st.integers(1, side))
    return npst.arrays(np.uint32, shapes, elements=st.integers(0, labels))


def blobs(shape: tuple[int, int], seed: int, *, count: int = 40) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return a mask of overlapping discs and one of nuclei that do not quite fit them."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[: shape[0], : shape[1]]
    cells, nuclei = np.zeros(shape, dtype=np.int32), np.zeros(shape, dtype=np.int32)
    for label in range(1, count + 1):
        center, radius = random.uniform(0, shape), random.uniform(2, 9)
        distance = np.hypot(y - center[0], x - center[1])
        cells[distance < radius] = label
        away = np.hypot(y - center[0] - random.uniform(-3, 3), x - center[1])
        nuclei[away < 0.6 * radius] = count + 1 - label
    return cells, nuclei


@dataclass(frozen=True)
class GoldenCase:
    """Inputs of a golden case and what QuPath made of them."""

    folder: Path
    channels: NDArray[Any]
    names: list[str]
    pixel_size: PixelSize | None
    cells: NDArray[Any]
    nuclei: NDArray[Any] | None
    objects: list[dict[str, Any]]

    def table(self, version: str) -> list[list[str]]:
        """Return the rows of QuPath's table without object ids."""
        (path,) = (self.folder / f"REPORTS_{version}").glob("*.tsv")
        return without_ids(path.read_text(encoding="utf-8"))


def without_ids(text: str) -> list[list[str]]:
    """Split a table, and blank the ids."""
    assert text.endswith("\n")
    rows = [line.split("\t") for line in text[:-1].split("\n")]
    return [rows[0], *([row[0], "", *row[2:]] for row in rows[1:])]


def golden_case(shared: Path, name: str) -> GoldenCase:
    """Load a golden case."""
    folder = shared / "qupath" / "golden" / name
    image = next(iter((folder / "OMETIFF").glob("*")), shared / "data/workspace/OMETIFF/BreastMIBI.ome.tiff")
    with tifffile.TiffFile(image) as tiff:
        channels, root = tiff.series[0].asarray(), ElementTree.fromstring(tiff.ome_metadata)
    pixels = next(element for element in root.iter() if element.tag.endswith("}Pixels"))
    names = [element.get("Name") for element in pixels if element.tag.endswith("}Channel")]
    size = [float(pixels.get(f"PhysicalSize{axis}", "nan")) for axis in "XY"]
    masks = [next(iter((folder / "SEGMASK").glob(f"*_{kind}Mask.tiff")), None) for kind in ("WholeCell", "Nucleus")]
    return GoldenCase(
        folder,
        channels,
        [name or f"Channel {index + 1}" for index, name in enumerate(names)],
        None if np.isnan(size[0]) else PixelSize(*size),
        *(None if path is None else tifffile.imread(path) for path in masks),
        list(_objects(folder / "objects.jsonl")),
    )


def _objects(path: Path) -> Iterator[dict[str, Any]]:
    for line in path.read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        if record["kind"] == "object" and record["level"] == 1:
            yield record


def written(writer: Callable[..., Any], measurement: Measurement, stream: Any, size: int, **options: Any) -> None:
    """Write all batches."""
    writing = writer(stream, measurement, **options)
    if hasattr(writing, "__enter__"):
        with writing as entered:
            for batch in measurement.batches(size):
                entered.write(batch)
    else:
        for batch in measurement.batches(size):
            writing.write(batch)
