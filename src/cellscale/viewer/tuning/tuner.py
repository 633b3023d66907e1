"""What finds cells for the page."""

from collections.abc import Mapping
from typing import Any, Protocol, TypeAlias

from cellscale.viewer.tuning.tuned_labels import TunedLabels

__all__ = ["Crop", "Tuner"]

Crop: TypeAlias = tuple[int, int, int, int]
"""x, y, width and height in pixels of the image."""


class Tuner(Protocol):
    """Finds the cells of a crop with any settings; any thread may ask."""

    def facts(self) -> dict[str, Any]:
        """Return what the page has to know: image, controls and their values."""

    def find(self, values: Mapping[str, Any], crop: Crop | None) -> dict[str, Any]:
        """Find the cells of a crop, the one of before where None is given; return counts, areas and a version.

        Raises
        ------
        RequestError
            A value is not one that its option takes, or the crop is not in the image.
        """

    def labels(self, version: int) -> TunedLabels | None:
        """Return the labels of a version; None where they are no longer kept."""

    def keep(self, values: Mapping[str, Any]) -> str:
        """Write settings down, and return where.

        Raises
        ------
        RequestError
            Somebody else's file is there.
        """
