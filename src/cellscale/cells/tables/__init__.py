"""Tables and outlines of cells, as files of the formats that others read."""

from cellscale.cells.tables.anndata_classes import write_classes
from cellscale.cells.tables.anndata_file import AnnDataWriter, require_anndata
from cellscale.cells.tables.geojson import GeoJsonWriter, write_shapes
from cellscale.cells.tables.parquet import ParquetWriter
from cellscale.cells.tables.tsv import TsvWriter

__all__ = [
    "AnnDataWriter",
    "GeoJsonWriter",
    "ParquetWriter",
    "TsvWriter",
    "require_anndata",
    "write_classes",
    "write_shapes",
]
