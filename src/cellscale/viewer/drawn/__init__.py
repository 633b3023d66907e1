"""What a person draws and excludes in the viewer: files of that person's in the dataset."""

from cellscale.viewer.drawn.drawn_answers import (
    exclude_cells,
    excluded_cells,
    keep_regions,
    kept_regions,
)
from cellscale.viewer.drawn.excluded_file import EXCLUDED
from cellscale.viewer.drawn.regions_file import REGIONS

__all__ = ["EXCLUDED", "REGIONS", "exclude_cells", "excluded_cells", "keep_regions", "kept_regions"]
