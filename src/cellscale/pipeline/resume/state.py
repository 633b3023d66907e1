"""Finished units of work, kept on disk so that a killed run goes on where it stopped."""

import hashlib
import io
import json
import re
import shutil
import zipfile
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Any, Self
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from cellscale.errors import DamagedStateError
from cellscale.faults import told_apart
from cellscale.storage.atomic import atomic_write
from cellscale.storage.json_text import parsed_json
from cellscale.storage.regular import open_regular, read_regular, require_regular
from cellscale.storage.uri import Location, local_path, make_folder
from cellscale.weights.catalogue import cache_folder

__all__ = ["CHECKSUM", "RunState", "fingerprint", "is_stale", "state_folder"]

CHECKSUM = "checksum"
"""Name of the array of a unit that holds the checksum of its plane."""
_FACTS, _HASH = "facts", "sha256"
KEY = 12
"""Digits of a hash that name a folder."""


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


def state_folder(jobs: Location, image: str, key: str) -> Path:
    """Return the folder for an image's unfinished work; what was left there for other keys is removed.

    Parameters
    ----------
    jobs
        Folder of the dataset's runs. Work on a dataset in an object store is kept on this machine.
    image
        The image's name.
    key
        Hash of everything that the work depends on.
    """
    root = local_path(jobs) or cache_folder() / "jobs" / fingerprint({"dataset": str(jobs)})[:KEY]
    folder = root / f"{image}.{key[:KEY]}"
    if root.is_dir():
        for other in root.iterdir():
            if other != folder and is_stale(other.name, image):
                shutil.rmtree(other, ignore_errors=True)
    return folder


def is_stale(name: str, image: str) -> bool:
    """Tell whether a folder is of an image's unfinished work, for this or another key."""
    return re.fullmatch(re.escape(image) + rf"\.[0-9a-f]{{{KEY}}}", name) is not None


class RunState:
    """A folder of finished units; a unit is there whole or not at all.

    Parameters
    ----------
    folder
        Made when the first unit is saved.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.damaged: list[str] = []
        """Names of what was found damaged, and thrown away."""
        self.before_commit: Callable[[], None] = lambda: None
        """Called before a unit takes its name; what it raises keeps the unit from being there."""
        self._verified: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def has(self, unit: str) -> bool:
        """Tell whether a unit is finished."""
        return self._arrays(unit).is_file()

    def save(self, unit: str, **arrays: NDArray[Any]) -> None:
        """Keep a unit's arrays; other threads and later processes see all of them or none."""
        path = self._arrays(unit)
        make_folder(path.parent)
        with atomic_write(path, durable=False) as file:
            # Without allow_pickle, which numpy before 2.2 takes for the name of an array.
            named: dict[str, Any] = dict(arrays)
            np.savez(file, **named)
            self.before_commit()

    def load(self, unit: str) -> dict[str, NDArray[Any]] | None:
        """Return a unit's arrays; None if it is not finished or was damaged (by a power cut, say)."""
        try:
            # Opened here, because numpy leaves a damaged file open.
            path = self._arrays(unit)
            with _damage(path), open_regular(path) as file, np.load(file, allow_pickle=False) as archive:
                return dict(archive)
        except FileNotFoundError:
            return None
        except MemoryError:
            if _is_whole(self._arrays(unit)):
                raise
        except (OSError, DamagedStateError):
            pass
        self._throw_away(unit)
        return None

    def check(self) -> None:
        """Verify the checksums of all that an earlier run left here, and throw away what is damaged."""
        for path in sorted(self.folder.rglob("*.npz")):
            unit = path.relative_to(self.folder).with_suffix("").as_posix()
            arrays = self.load(unit)
            if arrays is not None and CHECKSUM in arrays:
                self.map_plane(unit, int(arrays[CHECKSUM]))
        for path in sorted(self.folder.glob("*.json")):
            self.load_facts(path.stem)

    def _throw_away(self, unit: str) -> None:
        self.damaged.append(unit)
        self.forget(unit)

    def forget(self, unit: str) -> None:
        """Drop a unit, so that it is done again."""
        self._arrays(unit).unlink(missing_ok=True)

    def retire(self, unit: str) -> None:
        """Free the room that a unit takes on this machine; nobody is expected to need it again."""
        self.forget(unit)

    def save_plane(self, name: str, values: NDArray[Any]) -> int:
        """Keep one array so that parts of it can be read; save a unit after it to tell that it is there.

        Returns
        -------
        Its checksum, to be saved as `CHECKSUM` with the unit.
        """
        path = self._plane(name)
        make_folder(path.parent)
        with atomic_write(path, durable=False) as file:
            np.save(file, values)
            self.before_commit()
        self._verified.add(name)
        return _checksum(values)

    def map_plane(self, name: str, checksum: int) -> NDArray[Any] | None:
        """Return an array whose parts are read from disk when they are touched; None if it was damaged or removed.

        The unit that tells that it is there is forgotten then. What another process wrote is verified once.
        """
        try:
            with _damage(self._plane(name)):
                require_regular(self._plane(name))
                plane: NDArray[Any] = np.load(self._plane(name), mmap_mode="r", allow_pickle=False)
        except (OSError, DamagedStateError):
            self._throw_away(name)
            return None
        if name not in self._verified and _checksum(plane) != checksum:
            self._throw_away(name)
            return None
        self._verified.add(name)
        return plane

    def save_facts(self, name: str, facts: Mapping[str, Any]) -> None:
        """Keep JSON-serialisable facts; floats come back bit for bit."""
        make_folder(self.folder)
        with atomic_write(self._facts(name)) as file:
            file.write(json.dumps({_FACTS: facts, _HASH: fingerprint(facts)}, indent=1).encode())
            self.before_commit()

    def load_facts(self, name: str) -> dict[str, Any] | None:
        """Return facts kept earlier; None if there are none, or they were damaged."""
        try:
            kept = parsed_json(read_regular(self._facts(name)))
        except FileNotFoundError:
            return None
        except (OSError, ValueError):
            kept = None
        facts = kept.get(_FACTS) if isinstance(kept, dict) else None
        if isinstance(kept, dict) and isinstance(facts, dict) and _hash(facts) == kept.get(_HASH):
            return facts
        self.damaged.append(name)
        with suppress(OSError):
            self._facts(name).unlink()
        return None

    def drop(self, prefix: str) -> None:
        """Remove all units whose names begin with ``prefix/``."""
        shutil.rmtree(self.folder / prefix, ignore_errors=True)

    def clear(self) -> None:
        """Remove everything."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def flush(self) -> None:
        """Wait until all units are where others look for them."""

    def close(self) -> None:
        """Release what the state holds."""

    def _arrays(self, unit: str) -> Path:
        return self.folder / f"{unit}.npz"

    def _plane(self, name: str) -> Path:
        return self.folder / f"{name}.npy"

    def _facts(self, name: str) -> Path:
        return self.folder / f"{name}.json"


def _checksum(values: NDArray[Any]) -> int:
    return crc32(np.ascontiguousarray(values).data)


def _hash(facts: dict[str, Any]) -> str | None:
    """Return the hash of facts; None for numbers that are none."""
    try:
        return fingerprint(facts)
    except ValueError:
        return None


def _damage(path: Path) -> AbstractContextManager[None]:
    """Tell damage, which has a unit done again, from errors of ours; numpy raises anything on damaged bytes."""
    return told_apart(str(path), lambda error: DamagedStateError(f"{path} is damaged ({error})"), _probe)


def _probe() -> None:
    """Keep a small array as a unit's are kept, and read it."""
    file = io.BytesIO()
    np.savez(file, values=np.arange(3))
    file.seek(0)
    with np.load(file, allow_pickle=False) as archive:
        np.testing.assert_array_equal(archive["values"], np.arange(3))


def _is_whole(path: Path) -> bool:
    """Tell whether all checksums are right: sizes that damage made up take any amount of memory."""
    try:
        with _damage(path), open_regular(path) as file, zipfile.ZipFile(file) as archive:
            return archive.testzip() is None
    except (OSError, DamagedStateError):
        return False
