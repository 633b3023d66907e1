"""What is drawn over a picture: a scale bar, and where its parts lie."""

from dataclasses import dataclass

from cellscale.report.findings import Findings
from cellscale.report.html.words import number

__all__ = ["ScaleBar", "scale_bar"]

_SHARE = 0.25
"""Of a picture's width that a scale bar takes at most."""


@dataclass(frozen=True, slots=True)
class ScaleBar:
    """A bar of a round length."""

    share: float
    """Of the picture's width, in hundredths."""
    text: str


def scale_bar(look: Findings, pixels: int) -> ScaleBar:
    """Return the bar of a picture of so many columns of an image, in µm or mm where its pixels have a size."""
    size = 1.0 if look.pixel_size is None else look.pixel_size[0]
    longest = pixels * size * _SHARE
    power = 1.0
    while power * 10 <= longest:
        power *= 10
    while power > longest:
        power /= 10
    length = max(step * power for step in (1, 2, 5) if step * power <= longest)
    if look.pixel_size is None:
        text = f"{number(length)} pixels"
    else:
        text = f"{number(length / 1000)} mm" if length >= 1000 else f"{number(length)} µm"
    return ScaleBar(100 * length / (pixels * size), text)
