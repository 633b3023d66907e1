"""Two sets of masks of the same images, compared object by object."""

from cellscale.report.comparison.comparison_html import COLUMNS, MARK, Summary, comparison_page, summarize
from cellscale.report.comparison.mask_comparison import compare_masks
from cellscale.report.comparison.mask_sides import MaskPair, paired_masks

__all__ = [
    "COLUMNS",
    "MARK",
    "MaskPair",
    "Summary",
    "compare_masks",
    "comparison_page",
    "paired_masks",
    "summarize",
]
