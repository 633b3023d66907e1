"""The numbers of a TorchScript archive, read without PyTorch.

Such an archive is a zip file: ``data.pkl`` has the tree of modules, pickled, and ``data/0``, ``data/1``, ... the
numbers of the tensors. Only what describes tensors is unpickled here; no code of the archive runs.
"""

import io
import pickle
import zipfile
import zlib
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from cellscale.errors import ModelError

__all__ = ["read_parameters"]

_DTYPES = {"FloatStorage": "<f4", "DoubleStorage": "<f8", "LongStorage": "<i8", "IntStorage": "<i4"}

_LARGEST = 2**28
"""Bytes of a member that is read: more than any of the networks known here has."""


def read_parameters(stream: BinaryIO) -> dict[str, NDArray[Any]]:
    """Return the parameters and buffers of a TorchScript module.

    Parameters
    ----------
    stream
        The archive (``.pt``); it must be seekable.

    Returns
    -------
    Arrays by the names that PyTorch's ``state_dict`` gives them.

    Raises
    ------
    ModelError
        It is no TorchScript archive, or a damaged one.
    """
    try:
        with zipfile.ZipFile(stream) as archive:
            return dict(_arrays(_tree(archive), ""))
    except (
        zipfile.BadZipFile,
        zlib.error,
        pickle.UnpicklingError,
        NotImplementedError,
        ValueError,
        TypeError,
        KeyError,
        IndexError,
        AttributeError,
        EOFError,
        RuntimeError,
    ) as error:
        raise ModelError(
            f"the weights are not a TorchScript archive as InstanSeg's is, or are damaged ({error}); get them again"
        ) from error


def _tree(archive: zipfile.ZipFile) -> "_Module":
    """Return the root of an archive's modules."""
    member = next((name for name in archive.namelist() if name.endswith("/data.pkl")), None)
    if member is None:
        raise ValueError("it holds no data.pkl")
    root = _Unpickler(archive, member).load()
    if not isinstance(root, _Module):
        raise TypeError("its root is no module")
    return root


class _Module:
    """A module of the archive: its attributes, whatever class it had."""

    def __init__(self) -> None:
        self.attributes: dict[str, Any] = {}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.attributes = dict(state)


class _Unpickler(pickle.Unpickler):
    """Makes modules of plain attributes, and arrays of tensors; refuses all else."""

    def __init__(self, archive: zipfile.ZipFile, member: str) -> None:
        super().__init__(io.BytesIO(_content(archive, member)))
        self._archive = archive
        self._folder = f"{member.removesuffix('.pkl')}/"

    def find_class(self, module: str, name: str) -> Any:
        if module == "__torch__" or module.startswith("__torch__."):
            return _Module
        if module == "torch" and name in _DTYPES:
            return np.dtype(_DTYPES[name])
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _array
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        raise pickle.UnpicklingError(f"it has a {module}.{name}, which describes no tensor")

    def persistent_load(self, pid: Any) -> NDArray[Any]:
        kind, dtype, key, *_ = pid
        if kind != "storage":
            raise pickle.UnpicklingError(f"it refers to a {kind!r}")
        return np.frombuffer(_content(self._archive, f"{self._folder}{key}"), dtype)


def _content(archive: zipfile.ZipFile, member: str) -> bytes:
    size = archive.getinfo(member).file_size
    if size > _LARGEST:
        raise ValueError(f"{member} has {size:,} bytes")
    return archive.read(member)


def _array(storage: NDArray[Any], offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: Any) -> Any:
    """Return the array that a tensor is; strides count elements."""
    if min((offset, *shape, *strides)) < 0:
        raise ValueError("a tensor has a negative size")
    last = offset + sum((size - 1) * stride for size, stride in zip(shape, strides, strict=True))
    if last >= storage.size:
        raise ValueError("a tensor is larger than its numbers")
    steps = tuple(stride * storage.itemsize for stride in strides)
    return np.lib.stride_tricks.as_strided(storage[offset:], shape, steps).copy()


def _arrays(module: _Module, prefix: str) -> Iterator[tuple[str, NDArray[Any]]]:
    for name, value in module.attributes.items():
        if isinstance(value, np.ndarray):
            yield f"{prefix}{name}", value
        elif isinstance(value, _Module):
            yield from _arrays(value, f"{prefix}{name}.")
