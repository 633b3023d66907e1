"""Stable identities of objects."""

import hashlib

import numpy as np
from numpy.typing import NDArray

from cellscale.cells.outline import Shapes

__all__ = ["image_identity", "object_ids", "outline_keys", "together", "vertex_keys"]

_SEEDS = tuple(np.frombuffer(hashlib.blake2b(b"vertex", digest_size=16).digest(), dtype="<u8"))


def image_identity(name: str, pixels: bytes = b"") -> bytes:
    """Return what the ids of an image's objects begin from, 16 bytes.

    Parameters
    ----------
    name
        Name of the image: a dataset may have the same pixels under several.
    pixels
        Tells its pixels from those of images of the same name in other datasets.
    """
    return hashlib.blake2b(name.encode() + b"\x00" + pixels, digest_size=16).digest()


def outline_keys(shapes: Shapes) -> NDArray[np.uint64]:
    """Return numbers that tell outlines, and hence sets of pixels, apart, ``(n, 2)``."""
    return vertex_keys(shapes.vertices, shapes.vertex_offsets[shapes.ring_offsets[shapes.polygon_offsets]])


def vertex_keys(vertices: NDArray[np.int32], offsets: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Return numbers that tell sets of pixels apart.

    Parameters
    ----------
    vertices
        x and y of the corners of outlines, ``(v, 2)``; one that touches itself at a corner has that corner twice.
    offsets
        Outline ``i`` has the vertices from ``offsets[i]`` to ``offsets[i + 1] - 1``, at least one, ``(n + 1,)``.

    Returns
    -------
    Two numbers for each outline, ``(n, 2)``. The order of the vertices does not matter.

    Notes
    -----
    The corners of pixels where an odd number of the four around belongs to an object determine all of its pixels.
    Each corner is scrambled, twice in different ways, and the results are added up.
    """
    corners = np.ascontiguousarray(vertices, dtype="<i4").view("<u8").ravel()
    keys = np.empty((len(offsets) - 1, 2), dtype=np.uint64)
    for column, seed in enumerate(_SEEDS):
        sums = np.zeros(len(corners) + 1, dtype=np.uint64)
        np.cumsum(_mixed(_mixed(corners + seed)), out=sums[1:])
        keys[:, column] = sums[offsets[1:]] - sums[offsets[:-1]]
    return keys


def together(keys: NDArray[np.uint64], others: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return numbers for pairs of outlines; both are ``(n, 2)``, and of either order another pair."""
    return keys + _mixed(others)


def object_ids(identity: bytes, keys: NDArray[np.uint64]) -> NDArray[np.bytes_]:
    """Return the QuPath object id of each object, equal in every run.

    Parameters
    ----------
    identity
        Of the image, see :func:`image_identity`.
    keys
        Of the objects' own pixels, ``(n, 2)``.

    Returns
    -------
    UUIDs in their 36-character form, ``(n,)``.

    Notes
    -----
    The UUIDs are of version 8 (RFC 9562, for methods of one's own): the numbers of the outline are mixed with the
    image's identity by the finalizer of SplitMix64, which is one-to-one.
    """
    seed = np.frombuffer(identity, dtype="<u8")
    high, low = (_mixed(_mixed(keys[:, half] + seed[half]) ^ seed[1 - half]) for half in range(2))
    high = (high & np.uint64(0xFFFFFFFFFFFF0FFF)) | np.uint64(0x8000)
    low = (low & np.uint64(0x3FFFFFFFFFFFFFFF)) | np.uint64(0x8000000000000000)
    return _text(np.stack([high, low], axis=1).astype(">u8").view(np.uint8))


def _mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Scramble 64-bit numbers (Steele, Lea and Flood, OOPSLA 2014)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def _text(octets: NDArray[np.uint8]) -> NDArray[np.bytes_]:
    """Write 16 bytes a row as the text of a UUID."""
    digits = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)
    pairs = digits[np.stack([octets >> 4, octets & 15], axis=2)].reshape(len(octets), 32)
    groups = np.split(pairs, [8, 12, 16, 20], axis=1)
    dash = np.full((len(octets), 1), ord("-"), dtype=np.uint8)
    parts = [part for group in groups for part in (group, dash)][:-1]
    return np.concatenate(parts, axis=1).view("S36").reshape(len(octets))
