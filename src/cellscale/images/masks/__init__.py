"""Label masks, read in any format and written as TIFF."""

from cellscale.images.masks.mask_reader import Mask, open_mask, whole_labels
from cellscale.images.masks.mask_writer import row_bands, write_mask

__all__ = ["Mask", "open_mask", "row_bands", "whole_labels", "write_mask"]
