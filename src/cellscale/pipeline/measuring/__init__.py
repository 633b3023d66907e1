"""From masks to tables and an entry of the QuPath project."""

from cellscale.pipeline.measuring.measure_image import outline_image, prepare_writing
from cellscale.pipeline.measuring.project_entry import list_in_project

__all__ = ["list_in_project", "outline_image", "prepare_writing"]
