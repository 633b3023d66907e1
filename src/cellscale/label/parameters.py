"""What a user may set about labelling."""

import math
from dataclasses import asdict, dataclass

from cellscale.errors import RequestError

__all__ = ["BLOCK", "NUCLEUS", "WHOLE_CELL", "Parameters", "usual_parameters"]

BLOCK = 1024
"""Side of a block in pixels: the unit of labelling and of resume. Results do not depend on it, kept state does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """How one compartment's maps become labels.

    Raises
    ------
    RequestError
        If a value is out of its range.
    """

    maxima_threshold: float
    """Height by which a maximum must stand out to become a marker; above 0."""

    interior_threshold: float = 0.2
    """Pixels whose smoothed interior is above this value belong to objects."""

    interior_smoothing: float = 2.0
    """Standard deviation in pixels of the Gaussian over the interior map; 0 for none."""

    maxima_smoothing: float = 0.0
    """Standard deviation in pixels of the Gaussian over the maxima map; 0 for none."""

    radius: int = 2
    """Radius in pixels of the disk that makes pixels of the maxima map neighbours; at least 1."""

    small_objects: int = 15
    """Objects of fewer pixels are removed; 0 keeps all."""

    holes: int = 15
    """Holes of fewer pixels are filled; 0 fills none."""

    label_erosion: int = 0
    """Pixels by which the edges of objects are taken away, before small ones are removed; 0 for none."""

    def __post_init__(self) -> None:
        self._require_finite()
        if not self.maxima_threshold > 0:
            raise RequestError(f"maxima threshold is {self.maxima_threshold}; give a value above 0")
        for name in ("interior_smoothing", "maxima_smoothing"):
            if not 0 <= getattr(self, name) <= 100:
                raise RequestError(f"{_words(name)} is {getattr(self, name)}; give a value from 0 to 100 pixels")
        if not 1 <= self.radius <= 50:
            raise RequestError(f"radius is {self.radius}; give a whole number from 1 to 50 pixels")
        if not 0 <= self.label_erosion <= 50:
            raise RequestError(f"label erosion is {self.label_erosion}; give a whole number from 0 to 50 pixels")
        for name in ("small_objects", "holes"):
            if getattr(self, name) < 0:
                raise RequestError(f"{_words(name)} is {getattr(self, name)}; give 0 pixels or more")

    def facts(self) -> dict[str, float]:
        """Return the values by name, for records; without those that there were not always, where they do nothing."""
        return {name: value for name, value in asdict(self).items() if value or name not in _LATER}

    def _require_finite(self) -> None:
        for name in ("maxima_threshold", "interior_threshold", "interior_smoothing", "maxima_smoothing"):
            if not math.isfinite(getattr(self, name)):
                raise RequestError(f"{_words(name)} is {getattr(self, name)}; give a finite number")


_LATER = ("label_erosion",)


def _words(name: str) -> str:
    return name.replace("_", " ")


WHOLE_CELL = Parameters(maxima_threshold=0.075)
"""Mesmer's values for whole cells."""

NUCLEUS = Parameters(maxima_threshold=0.1)
"""Mesmer's values for nuclei."""

_OF_NETWORKS = {
    "torch-mesmer": (
        Parameters(maxima_threshold=0.1, interior_threshold=0.075, interior_smoothing=1.0, maxima_smoothing=1.0),
        Parameters(maxima_threshold=0.1, interior_threshold=0.075, interior_smoothing=1.0),
    )
}
"""Values for whole cells and for nuclei of networks that have their own."""


def usual_parameters(network: str | None = None) -> tuple[Parameters, Parameters]:
    """Return the values for whole cells and for nuclei that a network's authors recommend.

    Parameters
    ----------
    network
        What the network is called; Mesmer's values are returned for one that has none of its own.
    """
    return _OF_NETWORKS.get(network or "", (WHOLE_CELL, NUCLEUS))
