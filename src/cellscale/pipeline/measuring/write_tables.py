"""The files that tell of one image's cells, all written from one pass over the measured objects."""

from collections.abc import Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from cellscale.cells.anndata_file import AnnDataWriter
from cellscale.cells.geojson import GeoJsonWriter, write_shapes
from cellscale.cells.measurement import Measurement
from cellscale.cells.object_batches import CellBatch
from cellscale.cells.parquet import ParquetWriter
from cellscale.cells.text import Dialect
from cellscale.cells.tsv import TsvWriter
from cellscale.ordered import in_order
from cellscale.pipeline.image_run import ImageRun
from cellscale.pipeline.measuring.table_names import SUFFIXES
from cellscale.pipeline.request import Request
from cellscale.predict.heads import Compartment
from cellscale.storage.atomic import atomic_write
from cellscale.storage.uri import base_name, join, make_folder
from cellscale.workspace.discovery import ImageEntry
from cellscale.workspace.layout import cells_name, report_name, shapes_name

__all__ = ["write_outlines", "write_reports"]

ROWS = 1024
"""Objects that a thread encodes at a time: some 30 MB of text with 8 channels."""


class Writer(Protocol):
    """Writes a file batch after batch; batches are encoded side by side."""

    def encode(self, batch: CellBatch) -> Any:
        """Return a batch as it will be written; from any thread."""

    def put(self, rows: Any, /) -> None:
        """Write what was encoded; in order."""


def write_reports(
    run: ImageRun,
    measurement: Measurement,
    entry: ImageEntry,
    request: Request,
    compartments: Iterable[Compartment],
    wanted: Collection[Path | str],
) -> None:
    """Write an image's tables and outlines, each whole or not at all.

    Parameters
    ----------
    run
        Who listens.
    measurement
        The measured objects.
    entry
        The image.
    request
        Where to write, and in which of QuPath's dialects.
    compartments
        Those whose masks were measured.
    wanted
        The files to be written, of those that there can be.
    """
    for folder in (request.paths.reports, request.paths.segmasks):
        make_folder(folder)
    parts = [range(start, min(start + ROWS, len(measurement))) for start in range(0, len(measurement), ROWS)]
    with (
        run.stage("tables", max(len(measurement), 1)) as advance,
        ThreadPoolExecutor(1, thread_name_prefix="cellscale-shapes") as aside,
        _writers(measurement, entry, request, wanted) as writers,
    ):
        shapes = aside.submit(write_outlines, measurement, entry, request, tuple(compartments), wanted)

        def encode(part: range) -> list[Any]:
            batch = measurement.batch(part.start, part.stop)
            return [writer.encode(batch) for writer in writers]

        for part, encoded in zip(parts, in_order(encode, parts, run.budget.workers), strict=True):
            for writer, rows in zip(writers, encoded, strict=True):
                writer.put(rows)
            measurement.scratch.release()
            advance(len(part))
        shapes.result()


def write_outlines(
    measurement: Measurement,
    entry: ImageEntry,
    request: Request,
    compartments: Iterable[Compartment],
    wanted: Collection[Path | str],
) -> None:
    """Write those outlines of the masks that are wanted, each file whole or not at all."""
    for compartment in compartments:
        place = join(request.paths.segmasks, shapes_name(entry.name, compartment))
        if place not in wanted:
            continue
        outlines = measurement.cells if compartment == "whole-cell" else measurement.nuclei
        with atomic_write(place) as file:
            write_shapes(file, measurement, outlines)


@contextmanager
def _writers(
    measurement: Measurement, entry: ImageEntry, request: Request, wanted: Collection[Path | str]
) -> Iterator[list[Writer]]:
    """Open the tables that are wanted; they appear when all of them are whole."""
    dialect = Dialect(request.measuring.qupath_version)
    name = base_name(entry.image or entry.npz or entry.name)
    reports = request.paths.reports
    with ExitStack() as stack:

        def opened(folder: Path | str, file_name: str) -> BinaryIO | None:
            place = join(folder, file_name)
            return stack.enter_context(atomic_write(place)) if place in wanted else None

        writers: list[Writer] = []
        if file := opened(reports, report_name(entry.name)):
            writers.append(TsvWriter(file, measurement, image_name=name, dialect=dialect))
        if file := opened(reports, report_name(entry.name, ".parquet")):
            parquet = ParquetWriter(file, measurement, image_name=name, dialect=dialect)
            writers.append(stack.enter_context(parquet))
        if file := opened(request.paths.segmasks, cells_name(entry.name)):
            writers.append(stack.enter_context(GeoJsonWriter(file, measurement, dialect=dialect)))
        if file := opened(reports, report_name(entry.name, SUFFIXES["anndata"])):
            writers.append(stack.enter_context(AnnDataWriter(file, measurement)))
        yield writers
