"""Tables and outlines of cells, as files of the formats that others read."""

from cellscale.cells.tables.anndata_classes import write_classes
from cellscale.cells.tables.anndata_file import AnnDataWriter
from cellscale.cells.tables.anndata_matrices import require_anndata
from cellscale.cells.tables.anndata_names import element_name
from cellscale.cells.tables.gathered_anndata import write_gathered_anndata
from cellscale.cells.tables.gathered_tables import SAMPLE, ImageTable, write_gathered
from cellscale.cells.tables.geojson import GeoJsonWriter, write_shapes
from cellscale.cells.tables.parquet import ParquetWriter
from cellscale.cells.tables.tsv import TsvWriter

__all__ = [
    "SAMPLE",
    "AnnDataWriter",
    "GeoJsonWriter",
    "ImageTable",
    "ParquetWriter",
    "TsvWriter",
    "element_name",
    "require_anndata",
    "write_classes",
    "write_gathered",
    "write_gathered_anndata",
    "write_shapes",
]
