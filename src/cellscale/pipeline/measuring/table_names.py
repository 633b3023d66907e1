"""Where the files that tell of one image's cells go."""

from collections.abc import Iterable
from pathlib import Path

from cellscale.cells.exporters import find_exporter
from cellscale.pipeline.request import Request
from cellscale.predict.heads import Compartment
from cellscale.storage.uri import join
from cellscale.workspace.layout import cells_name, report_name, shapes_name
from cellscale.workspace.record import Ledger

__all__ = ["report_outputs", "table_files", "tables_not_asked"]


def table_files(request: Request, image: str) -> dict[str, Path | str]:
    """Return where an image's tables go, by the names of their exporters."""
    names = [name for name in dict.fromkeys(("tsv", "parquet", *request.measuring.exports)) if name != "geojson"]
    files = {name: join(request.paths.reports, report_name(image, find_exporter(name).suffix)) for name in names}
    return files | {"geojson": join(request.paths.segmasks, cells_name(image))}  # QuPath imports it with the masks


def report_outputs(request: Request, image: str, compartments: Iterable[Compartment]) -> tuple[Path | str, ...]:
    """Return the files that measuring an image makes from the masks of some compartments."""
    return (
        *table_files(request, image).values(),
        *(join(request.paths.segmasks, shapes_name(image, compartment)) for compartment in compartments),
    )


def tables_not_asked(request: Request, ledger: Ledger) -> list[Path | str]:
    """Return the tables on record that are not asked for; whoever made them need not be installed any more."""
    tables = [name for name in ledger.names("measurement") if name.startswith(report_name(ledger.image, "."))]
    asked = set(table_files(request, ledger.image).values())
    return [place for name in tables if (place := join(request.paths.reports, name)) not in asked]
