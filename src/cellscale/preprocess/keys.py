"""Pixel values as unsigned integers of the same order, so that exact ranks come from counting digits."""

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import DTypeLike, NDArray

from cellscale.errors import ImageError

__all__ = ["DIGIT_BITS", "KeySpace", "Words", "require_supported"]

Words: TypeAlias = NDArray[np.uint32 | np.uint64]
"""Bits of values, or the keys made of them."""

DIGIT_BITS = 16
"""Bits of a key that one pass over the image counts."""


def require_supported(dtype: DTypeLike) -> np.dtype[Any]:
    """Return ``dtype`` as a dtype.

    Raises
    ------
    ImageError
        The dtype is not an integer of at most 32 bits nor a float of 32 or 64 bits.
    """
    found = np.dtype(dtype)
    if (found.kind in "iu" and found.itemsize <= 4) or (found.kind == "f" and found.itemsize in {4, 8}):
        return found
    raise ImageError(
        f"the pixels are {found.name}; expected integers of 8, 16 or 32 bits or floats of 32 or 64 bits. "
        "Convert the image to one of these types."
    )


@dataclass(frozen=True, slots=True)
class KeySpace:
    """How the values of a dtype become keys: unsigned integers that compare as the values do.

    A key is the value's bits, some of them flipped: the sign bit of signed integers and of floats from +0 up, and all
    bits of negative floats, which order backwards by their bits.
    """

    dtype: np.dtype[Any]
    """A supported dtype."""

    @property
    def bits(self) -> int:
        """Bits of a key in use: a multiple of `DIGIT_BITS`."""
        return max(self._value_bits, DIGIT_BITS)

    @property
    def word(self) -> type[np.uint32] | type[np.uint64]:
        """The type that keys are computed in."""
        return np.uint64 if self._value_bits == 64 else np.uint32

    @property
    def flips(self) -> Words:
        """Bits to flip where the sign bit is clear, bits to flip where it is set, and the sign bit itself."""
        sign = 1 << (self._value_bits - 1)
        flips = {"u": (0, 0, sign), "i": (sign, sign, sign), "f": (sign, 2 * sign - 1, sign)}
        return np.array(flips[self.dtype.kind], self.word)

    @property
    def zeros(self) -> Words:
        """Keys of zero and of negative zero, of type `word`."""
        return np.array([self.key(0.0), self.key(-0.0)], self.word)

    @property
    def _value_bits(self) -> int:
        return self.dtype.itemsize * 8

    def patterns(self, pixels: NDArray[Any]) -> Words:
        """Return the bits of ``pixels`` as flat integers of type `word`."""
        unsigned = np.ascontiguousarray(pixels, self.dtype).view(f"u{self.dtype.itemsize}")
        return unsigned.ravel().astype(self.word, copy=False)

    def key(self, value: float) -> int:
        """Return the key of one value."""
        pattern = int(self.patterns(np.array([value]).astype(self.dtype))[0])
        clear, set_, sign = self.flips.tolist()
        return int(pattern ^ (set_ if pattern & sign else clear))

    def value(self, key: int) -> float:
        """Return the value, exact in float64, whose key is ``key``."""
        clear, set_, sign = self.flips.tolist()
        # Flipping moves the sign bit of signed types, so that it tells the opposite afterwards.
        was_set = bool(key & sign) == (self.dtype.kind == "u")
        pattern = key ^ (set_ if was_set else clear)
        return float(np.array([pattern], f"u{self.dtype.itemsize}").view(self.dtype)[0])
