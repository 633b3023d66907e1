"""Where the files that tell of one image's cells go."""

from collections.abc import Iterable

from cellscale.cells.exporters import find_exporter
from cellscale.pipeline.request import Measuring
from cellscale.predict.heads import Compartment
from cellscale.storage.uri import Location, join
from cellscale.workspace.layout import WorkspacePaths, cells_name, report_name, shapes_name
from cellscale.workspace.record import Ledger

__all__ = ["report_outputs", "table_files", "tables_not_asked"]


def table_files(paths: WorkspacePaths, measuring: Measuring, image: str) -> dict[str, Location]:
    """Return where an image's tables go, by the names of their exporters."""
    names = [name for name in dict.fromkeys(("tsv", "parquet", *measuring.exports)) if name != "geojson"]
    files = {name: join(paths.reports, report_name(image, find_exporter(name).suffix)) for name in names}
    return files | {"geojson": join(paths.segmasks, cells_name(image))}  # QuPath imports it with the masks


def report_outputs(
    paths: WorkspacePaths, measuring: Measuring, image: str, compartments: Iterable[Compartment]
) -> tuple[Location, ...]:
    """Return the files that measuring an image makes from the masks of some compartments."""
    return (
        *table_files(paths, measuring, image).values(),
        *(join(paths.segmasks, shapes_name(image, compartment)) for compartment in compartments),
    )


def tables_not_asked(paths: WorkspacePaths, measuring: Measuring, ledger: Ledger) -> list[Location]:
    """Return the tables on record that are not asked for; whoever made them need not be installed any more."""
    tables = [name for name in ledger.names("measurement") if name.startswith(report_name(ledger.image, "."))]
    asked = set(table_files(paths, measuring, ledger.image).values())
    return [place for name in tables if (place := join(paths.reports, name)) not in asked]
