"""An image and its place in a QuPath project."""

from dataclasses import dataclass

from cellscale.images.info import ImageInfo

__all__ = ["ProjectImage"]


@dataclass(frozen=True, slots=True)
class ProjectImage:
    """An image and its place in a project."""

    entry_id: int
    """Number of its entry, which names its folder of data."""

    info: ImageInfo
