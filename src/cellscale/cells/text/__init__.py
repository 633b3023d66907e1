"""Numbers and outlines as text, many at a time, exactly."""

from cellscale.cells.text.byte_rows import Rows, copy_rows
from cellscale.cells.text.columns import COMPARTMENTS, STATISTICS, Columns, measured_channels
from cellscale.cells.text.decimal_text import Texts, centroid_decimals, decimal_texts
from cellscale.cells.text.dialects import Dialect

__all__ = [
    "COMPARTMENTS",
    "STATISTICS",
    "Columns",
    "Dialect",
    "Rows",
    "Texts",
    "centroid_decimals",
    "copy_rows",
    "decimal_texts",
    "measured_channels",
]
