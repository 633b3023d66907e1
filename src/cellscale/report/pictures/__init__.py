"""Pictures of an image with its cells and nuclei."""

from cellscale.report.pictures.overview import cell_size, overview_level
from cellscale.report.pictures.picture import Picture

__all__ = ["Picture", "cell_size", "overview_level"]
