"""Stable identities of objects."""

import hashlib

import numpy as np
from numpy.typing import NDArray

__all__ = ["object_ids"]


def object_ids(
    image_name: str, cell_labels: NDArray[np.int64], nucleus_labels: NDArray[np.int64]
) -> NDArray[np.bytes_]:
    """Return the QuPath object id of each object, equal in every run.

    Parameters
    ----------
    image_name
        Name of the image.
    cell_labels, nucleus_labels
        Labels of each object, 0 for none, below 2^32, ``(n,)``.

    Returns
    -------
    UUIDs in their 36-character form, ``(n,)``.

    Notes
    -----
    The UUIDs are of version 8 (RFC 9562, for methods of one's own): the image's name is hashed with BLAKE2, and each
    half of the hash is mixed with the pair of labels by the finalizer of SplitMix64, which is one-to-one, so that two
    objects of an image differ in 122 bits.
    """
    seed = np.frombuffer(hashlib.blake2b(image_name.encode(), digest_size=16).digest(), dtype="<u8")
    pairs = (cell_labels.astype(np.uint64) << np.uint64(32)) | nucleus_labels.astype(np.uint64)
    high, low = (_mixed(_mixed(pairs + half) ^ half) for half in seed)
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
