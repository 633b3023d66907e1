"""Finished units in an object store, so that another machine goes on where a killed one stopped."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from cellscale.errors import StorageError
from cellscale.pipeline.resume.state import RunState, is_stale, state_folder
from cellscale.storage.atomic import atomic_write
from cellscale.storage.uploads import Uploads, delete_all
from cellscale.storage.uri import Location, join, listing, local_path, make_folder, objects_below, read_if_there

__all__ = ["RemoteRunState", "open_state"]


def open_state(jobs: Location, image: str, key: str, *, shared: bool, scratch: Path | None = None) -> RunState:
    """Return the state of an image's unfinished work, to be closed; what was left for other keys is removed.

    Parameters
    ----------
    jobs
        Folder of the dataset's runs.
    image
        The image's name.
    key
        Hash of everything that the work depends on.
    shared
        Where the dataset is in an object store, keep the state there as well, so that another machine can go on.
    scratch
        Folder of this machine for copies of what is in the object store; None: one that later runs find again.

    Raises
    ------
    StorageError
        The store cannot be listed.
    """
    folder = state_folder(jobs, image, key)
    if not shared or local_path(jobs) is not None:
        return RunState(folder)
    _remove_stale(str(jobs), image, folder.name)
    return RemoteRunState(scratch or folder, str(join(jobs, folder.name)))


def _remove_stale(jobs: str, image: str, kept: str) -> None:
    try:
        names = [entry.name for entry in listing(jobs) if entry.is_folder]
    except StorageError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            return
        raise
    for name in names:
        if name != kept and is_stale(name, image):
            folder = str(join(jobs, name))
            delete_all(str(join(folder, file)) for file in objects_below(folder))


class RemoteRunState(RunState):
    """A folder of this machine whose units are copied to an object store, and fetched from there when needed.

    The store is listed once; units go there in the background, in the order in which they are finished.

    Parameters
    ----------
    folder
        On this machine.
    uri
        Where the units are kept for other machines.

    Raises
    ------
    StorageError
        The store cannot be listed.
    """

    def __init__(self, folder: Path, uri: str) -> None:
        super().__init__(folder)
        self.uri = uri
        self._kept = set(objects_below(uri))
        self._uploads = Uploads()

    def has(self, unit: str) -> bool:
        """Tell whether a unit is finished, on this machine or another."""
        return super().has(unit) or f"{unit}.npz" in self._kept

    def save(self, unit: str, **arrays: NDArray[Any]) -> None:
        """Keep a unit's arrays here, and soon for other machines; a plane of the same name goes first."""
        super().save(unit, **arrays)
        self._send(unit, f"{unit}.npy", f"{unit}.npz")

    def load(self, unit: str) -> dict[str, NDArray[Any]] | None:
        """Return a unit's arrays; None if it is not finished or was damaged."""
        self._fetch(f"{unit}.npz")
        return super().load(unit)

    def forget(self, unit: str) -> None:
        """Drop a unit, so that it is done again."""
        super().forget(unit)
        self._remove(f"{unit}.npz", f"{unit}.npy")

    def retire(self, unit: str) -> None:
        """Free the room that a unit takes on this machine; the store has it until all is done.

        A machine that goes on after this one may lack what was made of the unit, which is still on its way there.
        """
        self._uploads.wait(unit)
        super().forget(unit)

    def map_plane(self, name: str, checksum: int) -> NDArray[Any] | None:
        """Return an array whose parts are read from this machine's disk when they are touched."""
        self._fetch(f"{name}.npy")
        return super().map_plane(name, checksum)

    def save_facts(self, name: str, facts: Mapping[str, Any]) -> None:
        """Keep JSON-serialisable facts."""
        super().save_facts(name, facts)
        self._send(name, f"{name}.json")

    def load_facts(self, name: str) -> dict[str, Any] | None:
        """Return facts kept earlier; None if there are none, or they were damaged."""
        self._fetch(f"{name}.json")
        return super().load_facts(name)

    def drop(self, prefix: str) -> None:
        """Remove all units whose names begin with ``prefix/``."""
        self._uploads.cancel(f"{prefix}/")
        super().drop(prefix)
        self._remove(*(name for name in tuple(self._kept) if name.startswith(f"{prefix}/")))

    def clear(self) -> None:
        """Remove everything, here and in the store."""
        self._uploads.cancel()
        super().clear()
        self._kept.clear()
        # Listed again: a group of files may have been sent in part.
        delete_all(map(self._location, objects_below(self.uri)))

    def flush(self) -> None:
        """Wait until other machines have all units.

        Raises
        ------
        StorageError
            Some could not be sent.
        """
        self._uploads.flush()

    def close(self) -> None:
        """Send what waits and end the threads."""
        self._uploads.close()

    def _send(self, unit: str, *names: str) -> None:
        """Copy a unit's files to the store; the last one tells that the others are there."""
        files = [(self.folder / name, self._location(name)) for name in names]
        self._uploads.submit(unit, files, lambda: self._kept.update(names))

    def _fetch(self, name: str) -> None:
        """Bring a file of another machine here."""
        path = self.folder / name
        if name not in self._kept or path.exists():
            return
        content = read_if_there(self._location(name))
        if content is None:
            self._kept.discard(name)
            return
        make_folder(path.parent)
        with atomic_write(path, durable=False) as file:
            file.write(content)

    def _remove(self, *names: str) -> None:
        found = self._kept.intersection(names)
        self._kept -= found
        delete_all(map(self._location, found))

    def _location(self, name: str) -> str:
        return str(join(self.uri, name))
