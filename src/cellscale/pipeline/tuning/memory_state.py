"""Work of a moment: kept in memory, and measured by nobody."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from cellscale.pipeline.image_run import ImageRun
from cellscale.pipeline.resume import RunState

__all__ = ["BriefRun", "MemoryState"]


class BriefRun(ImageRun):
    """A run whose stages are over before a meter would have begun."""

    @contextmanager
    def stage(self, name: str, total: int, done: int = 0, **clocks: Any) -> Iterator[Callable[..., None]]:
        """Give the body of a stage a function to call after finished units."""
        yield lambda *units, **spent: None


class MemoryState(RunState):
    """Keeps units as a run's state does, but nothing on disk."""

    def __init__(self) -> None:
        super().__init__(Path())
        self._units: dict[str, dict[str, NDArray[Any]]] = {}
        self._planes: dict[str, NDArray[Any]] = {}

    def has(self, unit: str) -> bool:
        """Tell whether a unit is finished."""
        return unit in self._units

    def save(self, unit: str, **arrays: NDArray[Any]) -> None:
        """Keep a unit's arrays."""
        self._units[unit] = arrays

    def load(self, unit: str) -> dict[str, NDArray[Any]] | None:
        """Return a unit's arrays; None if it is not finished."""
        return None if unit not in self._units else dict(self._units[unit])

    def forget(self, unit: str) -> None:
        """Drop a unit."""
        self._units.pop(unit, None)

    def drop(self, prefix: str) -> None:
        """Remove all units whose names begin with ``prefix/``."""
        for kept in (self._units, self._planes):
            for unit in [unit for unit in kept if unit.startswith(f"{prefix}/")]:
                del kept[unit]

    def save_plane(self, name: str, values: NDArray[Any]) -> int:
        """Keep one array."""
        self._planes[name] = values
        return 0

    def map_plane(self, name: str, checksum: int) -> NDArray[Any] | None:
        """Return an array."""
        return self._planes.get(name)
