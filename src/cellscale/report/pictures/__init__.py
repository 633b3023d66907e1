"""Pictures of an image with its cells and nuclei."""

from cellscale.report.pictures.map_panels import Panel, draw_panels
from cellscale.report.pictures.overview import block_means, cell_size, overview_level
from cellscale.report.pictures.picture import Picture

__all__ = ["Panel", "Picture", "block_means", "cell_size", "draw_panels", "overview_level"]
