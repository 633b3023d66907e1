"""Finished units of work, kept on disk so that a killed run goes on where it stopped."""

import hashlib
import json
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cellscale.storage.atomic import atomic_write

__all__ = ["RunState", "fingerprint"]


def fingerprint(facts: Mapping[str, Any]) -> str:
    """Return a hash of everything that a result depends on.

    Parameters
    ----------
    facts
        JSON-serialisable values; the order of keys does not matter.

    Returns
    -------
    64 hexadecimal digits.
    """
    return hashlib.sha256(json.dumps(facts, sort_keys=True, allow_nan=False).encode()).hexdigest()


class RunState:
    """A folder of finished units; a unit is there whole or not at all.

    Parameters
    ----------
    folder
        Made when the first unit is saved.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def has(self, unit: str) -> bool:
        """Tell whether a unit is finished."""
        return self._arrays(unit).is_file()

    def save(self, unit: str, **arrays: NDArray[Any]) -> None:
        """Keep a unit's arrays; other threads and later processes see all of them or none."""
        path = self._arrays(unit)
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(path) as file:
            np.savez(file, **arrays)

    def load(self, unit: str) -> dict[str, NDArray[Any]] | None:
        """Return a unit's arrays; None if it is not finished or was damaged (by a power cut, say)."""
        try:
            with np.load(self._arrays(unit), allow_pickle=False) as archive:
                return dict(archive)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile):
            self.forget(unit)
            return None

    def forget(self, unit: str) -> None:
        """Drop a unit, so that it is done again."""
        self._arrays(unit).unlink(missing_ok=True)

    def save_plane(self, name: str, values: NDArray[Any]) -> None:
        """Keep one array so that parts of it can be read; save a unit after it to tell that it is there."""
        path = self._plane(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(path) as file:
            np.save(file, values)

    def map_plane(self, name: str) -> NDArray[Any]:
        """Return an array whose parts are read from disk when they are touched."""
        plane: NDArray[Any] = np.load(self._plane(name), mmap_mode="r", allow_pickle=False)
        return plane

    def save_facts(self, name: str, facts: Mapping[str, Any]) -> None:
        """Keep JSON-serialisable facts; floats come back bit for bit."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with atomic_write(self._facts(name)) as file:
            file.write(json.dumps(facts, indent=1).encode())

    def load_facts(self, name: str) -> dict[str, Any] | None:
        """Return facts kept earlier; None if there are none."""
        try:
            facts: dict[str, Any] = json.loads(self._facts(name).read_bytes())
        except (FileNotFoundError, ValueError):
            return None
        return facts

    def drop(self, prefix: str) -> None:
        """Remove all units whose names begin with ``prefix/``."""
        shutil.rmtree(self.folder / prefix, ignore_errors=True)

    def clear(self) -> None:
        """Remove everything."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _arrays(self, unit: str) -> Path:
        return self.folder / f"{unit}.npz"

    def _plane(self, name: str) -> Path:
        return self.folder / f"{name}.npy"

    def _facts(self, name: str) -> Path:
        return self.folder / f"{name}.json"
