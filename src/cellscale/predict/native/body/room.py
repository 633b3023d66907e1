"""Memory for what is computed in between."""

from cellscale.predict.native.factors import Floats, empty

__all__ = ["Room"]


class Room:
    """Arrays that are used again for each tile: of new ones, the system has to clear every page."""

    def __init__(self) -> None:
        self._kept: dict[str, Floats] = {}

    def array(self, name: str, size: int) -> Floats:
        """Return an array of ``size`` values with anything in it; what was had by this name before is given up."""
        kept = self._kept.get(name)
        if kept is None or kept.size < size:
            kept = self._kept[name] = empty(size)
        return kept[:size]
