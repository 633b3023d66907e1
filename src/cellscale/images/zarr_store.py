"""Zarr's view of a folder, local or in any store."""

from fsspec.implementations.asyn_wrapper import AsyncFileSystemWrapper
from zarr.storage import FsspecStore, LocalStore

from cellscale.storage.uri import Location, filesystem, local_path

__all__ = ["is_unknown_codec", "zarr_store"]


def zarr_store(location: Location, *, read_only: bool = False) -> LocalStore | FsspecStore:
    """Return the Zarr store of a folder.

    Objects go through the same client as all other files. A client of zarr's own, in zarr's event loop, cannot be
    closed when the process ends, and says so on the terminal.
    """
    path = local_path(location)
    if path is not None:
        return LocalStore(path, read_only=read_only)
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
