"""From what the user says of a model to a verified file on this machine."""

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from cellscale.errors import ModelError
from cellscale.storage.credentials import without_credentials
from cellscale.storage.regular import oddity
from cellscale.storage.uri import local_path
from cellscale.weights.catalogue import MESMER, PublishedModel, cache_folder, installed_path, known_model
from cellscale.weights.checksum import Checksum, file_checksum, parse_checksum
from cellscale.weights.other_formats import refuse_other_formats
from cellscale.weights.source import open_source, read_chunks

__all__ = ["ResolvedModel", "installed_model", "resolve_model"]

_LARGEST = 2**31
"""Bytes that a protocol buffer, which an .onnx file is, can have."""


@dataclass(frozen=True, slots=True)
class ResolvedModel:
    """A model file that is on this machine and is what was asked for."""

    path: Path
    """The ``.onnx`` file."""

    sha256: str
    """SHA-256 of the file, as it was when resolved."""

    name: str
    """``mesmer``, or the file's name without its suffix."""


def resolve_model(
    model_path: str | None = None, model_hash: str | None = None, name: str | None = None
) -> ResolvedModel:
    """Find the model to run and check that it is intact.

    The file is hashed each time (a third of a second for Mesmer): a damaged network would give plausible wrong cells.

    Parameters
    ----------
    model_path
        Path or URI of an ``.onnx`` file; None means the installed weights. A file of another machine is downloaded
        into the cache; if ``model_hash`` is given as well, only once.
    model_hash
        SHA-256 or MD5 that the file must have.
    name
        Which installed weights; Mesmer's if left out.

    Raises
    ------
    ModelError
        The model is missing, damaged, of another format, or has another hash.
    """
    expected = None if model_hash is None else parse_checksum(model_hash)
    model_path = None if model_path is None else without_credentials(model_path)
    model = (
        installed_model(known_model(name or MESMER.name))
        if model_path is None
        else _given_model(model_path, expected)
    )
    if expected is not None:
        _require(model, expected, model_path or str(model.path))
    return model


def installed_model(model: PublishedModel) -> ResolvedModel:
    """Return a known model's installed weights, having checked them.

    Raises
    ------
    ModelError
        They are not installed or are damaged; the message tells how to fetch them.
    """
    path, command = installed_path(model), f"cellscale models fetch {model.name}"
    if not path.is_file():
        raise ModelError(f"the {model.name} weights are not installed (expected at {path}); get them with: {command}")
    size, sha256 = path.stat().st_size, _checksum(path, "sha256").digest
    if (size, sha256) != (model.size, model.sha256):
        raise ModelError(
            f"the {model.name} weights at {path} are damaged: found {size} bytes with SHA-256 {sha256}, expected "
            f"{model.size} bytes with {model.sha256}; get them again with: {command}"
        )
    return ResolvedModel(path, sha256, model.name)


def _given_model(location: str, expected: Checksum | None) -> ResolvedModel:
    refuse_other_formats(location)
    local = local_path(location)
    path = _downloaded(location, expected) if local is None else _checked_local(local.absolute())
    name = PurePosixPath(location.replace("\\", "/")).stem
    return ResolvedModel(path, _checksum(path, "sha256").digest, name)


def _checked_local(path: Path) -> Path:
    if path.is_dir():
        refuse_other_formats(str(path), is_folder=(path / "saved_model.pb").is_file())
        inside = sorted(one.name for one in path.glob("*.onnx"))
        raise ModelError(
            f"{path} is a folder{f' that holds {inside[0]}' if inside else ''}; the .onnx file itself is expected. "
            "Check --model_path."
        )
    if not path.is_file():
        reason = oddity(path)
        told = f"there is no model file at {path}" if reason is None else f"{path} is no model file: {reason}"
        raise ModelError(f"{told}; check --model_path")
    return path


def _downloaded(uri: str, expected: Checksum | None) -> Path:
    """Return the cached copy of a URI's file, which is named by its hash; a mere URI does not tell what it holds."""
    folder = cache_folder() / "downloads"
    if expected is not None:
        cached = _cached_copy(folder, expected)
        if cached.is_file() and _checksum(cached, expected.algorithm) == expected:
            return cached
    try:
        return _download(uri, folder, expected)
    except OSError as error:
        raise ModelError(f"cannot keep the model {uri} in the cache {folder}: {error}") from error


def _download(uri: str, folder: Path, expected: Checksum | None) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".download-", dir=folder) as scratch:
        partial = Path(scratch) / "model.onnx"
        with open_source(uri) as stream, partial.open("wb") as out:
            size = sum(map(out.write, read_chunks(stream, limit=_LARGEST + 1)))
        if size > _LARGEST:
            raise ModelError(
                f"{uri} has more than {_LARGEST:,} bytes, which no .onnx file can have; check --model_path"
            )
        found = _checksum(partial, expected.algorithm if expected else "sha256")
        if expected is not None and found != expected:
            raise _mismatch(uri, partial, found, expected)
        return partial.replace(_cached_copy(folder, found))


def _cached_copy(folder: Path, checksum: Checksum) -> Path:
    return folder / f"{checksum.algorithm}-{checksum.digest}.onnx"


def _require(model: ResolvedModel, expected: Checksum, location: str) -> None:
    known = Checksum("sha256", model.sha256)
    found = known if expected.algorithm == known.algorithm else _checksum(model.path, expected.algorithm)
    if found != expected:
        raise _mismatch(location, model.path, found, expected)


def _mismatch(location: str, path: Path, found: Checksum, expected: Checksum) -> ModelError:
    return ModelError(
        f"the model {location} is not the one that --model_hash names: found {path.stat().st_size} bytes with "
        f"{found}, expected {expected}; the file is another one, or incomplete"
    )


def _checksum(path: Path, algorithm: str) -> Checksum:
    try:
        return file_checksum(path, algorithm)
    except OSError as error:
        raise ModelError(f"cannot read the model file {path}: {error}") from error
