"""Where the files that tell of one image's cells go."""

from collections.abc import Iterable
from pathlib import Path

from cellscale.pipeline.request import Request
from cellscale.predict.heads import Compartment
from cellscale.storage.uri import join
from cellscale.workspace.layout import cells_name, report_name, shapes_name

__all__ = ["SUFFIXES", "report_outputs", "tables_not_asked"]

SUFFIXES = {"anndata": ".h5ad"}
"""Of the tables that are made on request, by the name of their export."""


def report_outputs(request: Request, image: str, compartments: Iterable[Compartment]) -> tuple[Path | str, ...]:
    """Return the files that measuring an image makes from the masks of some compartments."""
    tables = (".tsv", ".parquet", *(SUFFIXES[export] for export in request.measuring.exports))
    return (
        *(join(request.paths.reports, report_name(image, suffix)) for suffix in tables),
        join(request.paths.segmasks, cells_name(image)),
        *(join(request.paths.segmasks, shapes_name(image, compartment)) for compartment in compartments),
    )


def tables_not_asked(request: Request, image: str) -> list[Path | str]:
    """Return the tables that are made on request, and are not asked for."""
    exports = set(SUFFIXES).difference(request.measuring.exports)
    return [join(request.paths.reports, report_name(image, SUFFIXES[export])) for export in exports]
