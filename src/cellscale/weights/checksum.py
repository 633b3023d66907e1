"""Hashes of model files, as users write them and as files have them."""

import hashlib
import string
from dataclasses import dataclass
from pathlib import Path

from cellscale.errors import ModelError
from cellscale.storage.regular import open_regular

__all__ = ["Checksum", "file_checksum", "parse_checksum"]

_DIGITS = {"md5": 32, "sha256": 64}


@dataclass(frozen=True, slots=True)
class Checksum:
    """A hash of a file."""

    algorithm: str
    """``sha256`` or ``md5``."""

    digest: str
    """Lower-case hexadecimal digits."""

    def __str__(self) -> str:
        """Return the form that ``parse_checksum`` reads."""
        return f"{self.algorithm}:{self.digest}"


def parse_checksum(text: str) -> Checksum:
    """Read a SHA-256 or MD5, in any case, with or without ``sha256:`` or ``md5:`` before it.

    Raises
    ------
    ModelError
        The text is no such hash.
    """
    prefix, _, digest = text.strip().lower().rpartition(":")
    by_length = {count: algorithm for algorithm, count in _DIGITS.items()}
    algorithm = prefix or by_length.get(len(digest), "")
    if _DIGITS.get(algorithm) != len(digest) or not set(digest) <= set(string.hexdigits):
        raise ModelError(
            f"{text!r} is not a hash of a model file: expected the 64 hexadecimal digits of a SHA-256 or the 32 of "
            "an MD5, with or without 'sha256:' or 'md5:' before them"
        )
    return Checksum(algorithm, digest)


def file_checksum(path: Path, algorithm: str = "sha256") -> Checksum:
    """Compute the hash of a file.

    Raises
    ------
    OSError
        The file cannot be read.
    """
    with open_regular(path) as file:
        return Checksum(algorithm, hashlib.file_digest(file, algorithm).hexdigest())
