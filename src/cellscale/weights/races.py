"""What was found to be faster on a machine, kept in the cache so that it is found out once."""

import dataclasses
import hashlib
import json
import math
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from filelock import FileLock, Timeout

from cellscale import __version__
from cellscale.errors import CellscaleError
from cellscale.predict.native import Race, RaceConditions
from cellscale.storage.atomic import atomic_write
from cellscale.storage.json_text import parsed_json
from cellscale.storage.regular import read_regular
from cellscale.weights.catalogue import cache_folder

__all__ = ["KeptRaces", "compiled_folder"]

_WAIT_SECONDS = 120.0
"""How long another process's race is waited for, which takes some seconds, and a quarter of a minute more where the
kernels have to be compiled."""


def compiled_folder(sha256: str) -> Path:
    """Return the folder of the cache for what devices made of a network, and what was found out about it."""
    return cache_folder() / "compiled" / sha256[:12]


class KeptRaces:
    """The races of one network in a folder of the cache, a file for each kind of machine that shares it.

    Processes that begin at the same time wait for the first one's race: all of them compute alike then. Where the
    folder cannot be written to, and where its file is damaged, the race is run.

    Parameters
    ----------
    folder
        Made when the first race is kept.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def settled(self, machine: RaceConditions, run: Callable[[], Race]) -> Race:
        """Return how the race of a machine ended; see `cellscale.predict.native.race.Races`."""
        facts = {**dataclasses.asdict(machine), "cellscale": __version__}
        key = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
        path = self._folder / f"race-{key[:12]}.json"
        known = _read(path)
        if known is not None:
            return known
        with ExitStack() as held:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                held.enter_context(FileLock(path.with_suffix(".lock"), timeout=_WAIT_SECONDS))
            except (OSError, Timeout, NotImplementedError):
                return run()
            known = _read(path)
            if known is None:
                known = run()
                _keep(path, {"machine": facts, "seconds": dataclasses.asdict(known)})
        return known


def _read(path: Path) -> Race | None:
    """Return a race that was kept; None if there is none that can be read."""
    try:
        kept = parsed_json(read_regular(path))["seconds"]
        race = Race(*(float(kept[field.name]) for field in dataclasses.fields(Race)))
    except (OSError, ValueError, TypeError, KeyError, CellscaleError):
        return None
    return race if all(map(math.isfinite, dataclasses.astuple(race))) else None


def _keep(path: Path, facts: dict[str, object]) -> None:
    """Write a race down, if that can be done; else the next process runs it."""
    try:
        with atomic_write(path, durable=False) as file:
            file.write(json.dumps(facts, indent=1).encode())
    except (OSError, CellscaleError):
        return
