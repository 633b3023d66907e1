"""Pictures of an image with its cells and nuclei."""

from cellscale.report.pictures.overview import block_means, cell_size, overview_level
from cellscale.report.pictures.picture import Picture

__all__ = ["Picture", "block_means", "cell_size", "overview_level"]
