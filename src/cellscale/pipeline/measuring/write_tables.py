"""The files that tell of one image's cells, all written from one pass over the measured objects."""

from collections.abc import Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any

from cellscale.cells.exporters import Writer, find_exporter
from cellscale.cells.measurement import Measurement
from cellscale.cells.tables import write_shapes
from cellscale.cells.text import Dialect
from cellscale.ordered import in_order
from cellscale.pipeline.image_run import ImageRun
from cellscale.pipeline.measuring.mask_checks import Unchanged
from cellscale.pipeline.measuring.table_names import table_files
from cellscale.pipeline.request import Measuring
from cellscale.predict.heads import Compartment
from cellscale.storage.atomic import atomic_write
from cellscale.storage.uri import Location, base_name, join, make_folder
from cellscale.workspace.discovery import ImageEntry
from cellscale.workspace.layout import WorkspacePaths, shapes_name

__all__ = ["write_outlines", "write_reports"]

ROWS = 1024
"""Objects that a thread encodes at a time: some 30 MB of text with 8 channels."""


def write_reports(
    run: ImageRun,
    measurement: Measurement,
    entry: ImageEntry,
    paths: WorkspacePaths,
    measuring: Measuring,
    compartments: Iterable[Compartment],
    wanted: Collection[Location],
    check: Unchanged,
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
    paths
        Where to write.
    measuring
        In which of QuPath's dialects, and which further formats.
    compartments
        Those whose masks were measured.
    wanted
        The files to be written, of those that there can be.
    check
        Is called when a file is whole, before it takes its name.

    Raises
    ------
    ImageError, MaskError
        What they are made of changed meanwhile.
    StorageError
        One cannot be written.
    """
    for folder in (paths.reports, paths.segmasks):
        make_folder(folder)
    parts = [range(start, min(start + ROWS, len(measurement))) for start in range(0, len(measurement), ROWS)]
    with (
        run.stage("tables", max(len(measurement), 1)) as advance,
        ThreadPoolExecutor(1, thread_name_prefix="cellscale-shapes") as aside,
        _writers(measurement, entry, paths, measuring, wanted) as writers,
    ):
        shapes = aside.submit(write_outlines, measurement, entry, paths, tuple(compartments), wanted, check)

        def encode(part: range) -> list[Any]:
            batch = measurement.batch(part.start, part.stop)
            return [writer.encode(batch) for writer in writers]

        for part, encoded in zip(parts, in_order(encode, parts, run.budget.workers), strict=True):
            for writer, rows in zip(writers, encoded, strict=True):
                writer.put(rows)
            measurement.scratch.release()
            advance(len(part))
        shapes.result()
        check()


def write_outlines(
    measurement: Measurement,
    entry: ImageEntry,
    paths: WorkspacePaths,
    compartments: Iterable[Compartment],
    wanted: Collection[Location],
    check: Unchanged,
) -> None:
    """Write those outlines of the masks that are wanted, each whole or not at all; errors as of `write_reports`."""
    for compartment in compartments:
        place = join(paths.segmasks, shapes_name(entry.name, compartment))
        if place not in wanted:
            continue
        outlines = measurement.cells if compartment == "whole-cell" else measurement.nuclei
        with atomic_write(place) as file:
            write_shapes(file, measurement, outlines)
            check()


@contextmanager
def _writers(
    measurement: Measurement,
    entry: ImageEntry,
    paths: WorkspacePaths,
    measuring: Measuring,
    wanted: Collection[Location],
) -> Iterator[list[Writer]]:
    """Open the tables that are wanted; they appear when all of them are whole."""
    dialect = Dialect(measuring.qupath_version)
    name = base_name(entry.image or entry.npz or entry.name)
    with ExitStack() as stack:

        def opened(export: str, place: Location) -> Writer:
            file = stack.enter_context(atomic_write(place))
            exporter = find_exporter(export)
            return stack.enter_context(exporter.open(file, measurement, image_name=name, dialect=dialect))

        places = table_files(paths, measuring, entry.name).items()
        yield [opened(export, place) for export, place in places if place in wanted]
