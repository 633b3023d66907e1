"""Zarr's view of a folder, local or in any store."""

from typing import Any

from fsspec.implementations.asyn_wrapper import AsyncFileSystemWrapper
from zarr.core.buffer import Buffer
from zarr.storage import FsspecStore, LocalStore

from cellscale.storage.regular import IrregularFileError, oddity
from cellscale.storage.uri import Location, filesystem, local_path

__all__ = ["is_unknown_codec", "zarr_store"]


def zarr_store(location: Location, *, read_only: bool = False) -> LocalStore | FsspecStore:
    """Return the Zarr store of a folder.

    Objects go through the same client as all other files. A client of zarr's own, in zarr's event loop, cannot be
    closed when the process ends, and says so on the terminal.
    """
    path = local_path(location)
    if path is not None:
        return _FilesStore(path, read_only=read_only)
    fs, key = filesystem(location)
    return FsspecStore(AsyncFileSystemWrapper(fs, asynchronous=True), path=key, read_only=read_only)


def is_unknown_codec(error: BaseException) -> bool:
    """Return whether zarr or numcodecs raised an error because a codec is not installed."""
    if isinstance(error, ImportError) or type(error).__name__ == "UnknownCodecError":
        return True
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    # Older zarr raises a plain KeyError, from where it looks codecs up.
    return isinstance(error, KeyError) and trace is not None and trace.tb_frame.f_code.co_name == "get_codec_class"


class _FilesStore(LocalStore):
    """A folder of which nothing but files is read: a named pipe would be waited for without end."""

    async def get(self, key: str, *arguments: Any, **options: Any) -> Buffer | None:
        self._require_file(key)
        return await super().get(key, *arguments, **options)

    def get_sync(self, key: str, *arguments: Any, **options: Any) -> Buffer | None:
        """As `get`; newer versions of zarr read so where they can."""
        self._require_file(key)
        found: Buffer | None = super().get_sync(key, *arguments, **options)
        return found

    def _require_file(self, key: str) -> None:
        reason = oddity(self.root / key)
        if reason is not None:
            raise IrregularFileError(f"{key} in it: {reason}")
