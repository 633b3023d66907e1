"""Units of length, as OME-XML, OME-Zarr and ImageJ name them."""

import math

from cellscale.images.info import PixelSize

__all__ = ["micrometres", "pixel_size_of"]

_METRE = 1e6
_PREFIXES = {
    "Y": 1e24, "Z": 1e21, "E": 1e18, "P": 1e15, "T": 1e12, "G": 1e9, "M": 1e6, "k": 1e3, "h": 1e2, "da": 1e1,
    "": 1.0, "d": 1e-1, "c": 1e-2, "m": 1e-3, "µ": 1e-6, "n": 1e-9, "p": 1e-12, "f": 1e-15, "a": 1e-18,
    "z": 1e-21, "y": 1e-24,
}  # fmt: skip
_WORDS = {
    "yotta": "Y", "zetta": "Z", "exa": "E", "peta": "P", "tera": "T", "giga": "G", "mega": "M", "kilo": "k",
    "hecto": "h", "deca": "da", "": "", "deci": "d", "centi": "c", "milli": "m", "micro": "µ", "nano": "n",
    "pico": "p", "femto": "f", "atto": "a", "zepto": "z", "yocto": "y",
}  # fmt: skip
_INCH = 25_400.0
_UNITS = {
    **{f"{prefix}m": _METRE * factor for prefix, factor in _PREFIXES.items()},
    **{f"{word}meter": _METRE * _PREFIXES[prefix] for word, prefix in _WORDS.items()},
    **{f"{word}metre": _METRE * _PREFIXES[prefix] for word, prefix in _WORDS.items()},
    "um": 1.0, "micron": 1.0, "microns": 1.0, "Å": 1e-4, "angstrom": 1e-4, "A": 1e-4,
    "thou": _INCH / 1000, "li": _INCH / 12, "line": _INCH / 12, "in": _INCH, "inch": _INCH, "ft": 12 * _INCH,
    "foot": 12 * _INCH, "yd": 36 * _INCH, "yard": 36 * _INCH, "mi": 63_360 * _INCH, "mile": 63_360 * _INCH,
    "pt": _INCH / 72, "ua": 149_597_870_700 * _METRE, "ly": 9_460_730_472_580_800 * _METRE,
    "pc": 3.0856775814913673e16 * _METRE, "parsec": 3.0856775814913673e16 * _METRE,
}  # fmt: skip
_UPRIGHT = str.maketrans({"μ": "µ", "Å": "Å"})
"""Greek mu and the Angstrom sign look like the micro sign and the letter A with ring, and are used for them."""


def micrometres(value: float, unit: str | None) -> float | None:
    """Convert a length to micrometres.

    Parameters
    ----------
    value
        The length.
    unit
        A unit of OME's ``UnitsLength``, or one of the words that OME-Zarr and ImageJ use; None for micrometres,
        OME's default.

    Returns
    -------
    None where the unit is no length (``pixel``, ``reference frame``) or the value no size (zero, negative, NaN).
    """
    factor = 1.0 if unit is None else _UNITS.get(unit.strip().translate(_UPRIGHT))
    if factor is None and unit is not None:
        factor = _UNITS.get(unit.strip().lower())
    if factor is None or not math.isfinite(value) or value <= 0:
        return None
    # Most images are in nanometres or micrometres: dividing by a whole number rounds once, as a reader would expect.
    return value * factor if factor >= 1 else value / round(1 / factor)


def pixel_size_of(x: float | None, y: float | None) -> PixelSize | None:
    """Return a pixel size in micrometres; where only one side is known the pixel is square."""
    if x is None and y is None:
        return None
    return PixelSize(x if x is not None else y or 0.0, y if y is not None else x or 0.0, x is None or y is None)
