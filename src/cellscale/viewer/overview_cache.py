"""Where overviews are kept between sessions: in the user's cache folder, up to a total size."""

import hashlib
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from platformdirs import user_cache_path

from cellscale.storage.storage_errors import explained

__all__ = ["OverviewCache"]

_LIMIT = 4 * 2**30
_ABANDONED = 24 * 3600.0
"""Seconds after which a folder that was never finished belongs to no living process."""

_IN_USE = 24 * 3600.0
"""Seconds after its last opening in which another process may still be showing an overview."""

_DONE = "done"
_FORMAT = "1"
"""Changes whenever overviews are laid out in another way."""


class OverviewCache:
    """Folders of finished and growing overviews.

    Parameters
    ----------
    root
        Folder of the cache; ``viewer`` in the user's cache folder if None.
    limit
        Bytes that finished overviews may take after :meth:`prune`.
    """

    def __init__(self, root: Path | None = None, *, limit: int = _LIMIT) -> None:
        self._root = root or user_cache_path("cellscale") / "viewer"
        self._limit = limit

    def finished(self, *identity: str) -> Path | None:
        """Return the finished folder of what ``identity`` names, and note that it was used."""
        for mark in self._root.glob(f"{_key(identity)}-*/{_DONE}"):
            with suppress(OSError):  # another process may be deleting it
                os.utime(mark)
                return mark.parent
        return None

    @contextmanager
    def growing(self, *identity: str) -> Iterator[Path]:
        """Give a new folder that no other process writes to; it counts as finished after the ``with`` block.

        Raises
        ------
        StorageError
            The cache folder cannot be written.
        """
        folder = self._root / f"{_key(identity)}-{secrets.token_hex(4)}"
        with explained("write", folder):
            folder.mkdir(parents=True)
        try:
            yield folder
            with explained("write", folder):
                (folder / _DONE).touch()
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise

    def prune(self) -> None:
        """Delete what was abandoned, and of the rest the longest unused until the limit is kept."""
        total = 0
        for used, done, folder in sorted(self._folders(), reverse=True):
            age = time.time() - used
            if done:
                total += _size(folder)
            if age > (_IN_USE if done else _ABANDONED) and (not done or total > self._limit):
                shutil.rmtree(folder, ignore_errors=True)

    def _folders(self) -> Iterator[tuple[float, bool, Path]]:
        """Yield for each folder when it was last used, whether it is finished, and its path."""
        if not self._root.is_dir():
            return
        for folder in self._root.iterdir():
            mark = folder / _DONE
            with suppress(OSError):
                done = mark.exists()
                yield (mark if done else folder).stat().st_mtime, done, folder


def _size(folder: Path) -> int:
    """Return the bytes of a folder; 0 where another process is deleting it."""
    with suppress(OSError):
        return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    return 0


def _key(identity: tuple[str, ...]) -> str:
    return hashlib.sha256("\0".join((_FORMAT, *identity)).encode("utf-8", "surrogateescape")).hexdigest()[:32]
