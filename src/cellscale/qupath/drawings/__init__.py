"""What a person drew on an image in QuPath: annotations and the cores of a tissue microarray."""

from cellscale.qupath.drawings.project_regions import ProjectRegions

__all__ = ["ProjectRegions"]
