"""How many micrometres a pixel measures, and who says so."""

import math
from dataclasses import dataclass
from numbers import Real

from cellscale.errors import RequestError
from cellscale.images.info import ImageInfo, PixelSize

__all__ = ["DEFAULT_MPP", "ChosenPixelSize", "choose_pixel_size", "given_pixel_size", "one_side_text"]

DEFAULT_MPP = 0.5
"""µm/px that is assumed where nothing is known: the resolution of Mesmer's training images."""

_ANISOTROPY = 0.01
"""Relative difference of the sides from which a pixel is not taken for a square."""


@dataclass(frozen=True, slots=True)
class ChosenPixelSize:
    """The µm/px that an image is processed at."""

    mpp: float
    """One number for both axes; the mean where the sides differ."""

    size: PixelSize | None
    """Both sides, as given or as in the file; None where nothing is known."""

    source: str
    """Where it is from, in words."""

    warnings: tuple[str, ...] = ()
    """What the user should know: nothing was known, only one side, or pixels are not square."""


def given_pixel_size(given: float) -> PixelSize:
    """Return the size of a pixel that a user gives.

    Parameters
    ----------
    given
        µm/px of both sides.

    Raises
    ------
    RequestError
        It is no positive and finite number.
    """
    if not isinstance(given, Real) or isinstance(given, bool) or not math.isfinite(given) or given <= 0:
        raise RequestError(f"--image_mpp {given!r}: a number of micrometres a pixel above 0 expected, such as 0.5")
    return PixelSize(given, given)


def choose_pixel_size(info: ImageInfo, given: float | None = None) -> ChosenPixelSize:
    """Choose the µm/px: what the user gives, else what the file says, else 0.5 with a warning.

    Parameters
    ----------
    info
        The image.
    given
        The user's ``--image_mpp``.

    Raises
    ------
    RequestError
        The given number is not positive and finite.
    """
    if given is not None:
        return ChosenPixelSize(given, given_pixel_size(given), "given")
    size = info.pixel_size
    if size is None:
        warning = f"the file does not say how large a pixel is; {DEFAULT_MPP} µm/px assumed (--image_mpp)"
        return ChosenPixelSize(DEFAULT_MPP, None, "assumed", (warning,))
    source = "resolution tags of the file" if size.from_tags else "file"
    if size.one_side:
        return ChosenPixelSize(size.x, size, source, (one_side_text(size),))
    mpp = size.x if size.x == size.y else (size.x + size.y) / 2
    if abs(size.x - size.y) <= _ANISOTROPY * max(size.x, size.y):
        return ChosenPixelSize(mpp, size, source)
    warning = f"pixels are {size.x:g} x {size.y:g} µm, not square; cells are found at the mean, {mpp:g} µm/px"
    return ChosenPixelSize(mpp, size, source, (warning,))


def one_side_text(size: PixelSize) -> str:
    """Return what the user should know of a pixel of which the file gives one side alone."""
    return f"the file gives only one side of a pixel, {size.x:g} µm; a square is assumed (--image_mpp)"
