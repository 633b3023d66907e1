"""Signs that something is wrong with an image or its segmentation, in plain words, each with what to do.

The limits are set so that usual tissue sections raise none of them; ``docs/report.md`` says why each is where it is.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from cellscale.report.sample import Intensities

__all__ = ["Evidence", "Flag", "find_flags"]

FEW = 50
"""Objects below which distributions say nothing."""
NUCLEUS_UM2 = (18.0, 150.0)
"""Plausible median areas of nuclei: discs of 4.8 to 14 µm across, from small lymphocytes to large tumour cells."""
CELL_UM2 = (25.0, 800.0)
"""Plausible median areas of cells: discs of 5.6 to 32 µm across."""
ALONE_NUCLEI = 0.2
"""Share of the nuclei that may have no cell."""
ALONE_CELLS = 0.5
"""Share of the cells that may have no nucleus: thin sections miss many."""
SATURATED = 0.005
"""Share of a channel's pixels that may be saturated."""
BLURRED = 0.1
"""Share of an image's parts that may be out of focus."""


@dataclass(frozen=True, slots=True)
class Flag:
    """Something that a person should look into."""

    name: str
    """One word for programs."""
    text: str
    """What was found."""
    advice: str
    """What to do about it."""

    def __str__(self) -> str:
        """Return both as one sentence after the other."""
        return f"{self.text}. {self.advice}."


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What flags are raised from."""

    nucleus: Intensities
    """Of the nucleus channel as the network sees it."""
    membrane: Intensities | None
    """Of the membrane channel as the network sees it; None where blank was asked for."""
    membrane_text: str
    """Which channels the membrane is, and why."""
    channels: Mapping[str, Intensities]
    """By name."""
    counts: Mapping[str, int]
    """Objects by compartment."""
    medians: Mapping[str, float]
    """Median areas in µm² by compartment; empty where µm/px are not known."""
    mpp_text: str
    """µm/px, and where they are from."""
    alone: Mapping[str, int]
    """Objects without a partner by compartment; empty where there is one mask alone."""
    parts: int
    """Parts of the image whose sharpness could be judged."""
    blurred: int
    """Those of them that are out of focus."""


def find_flags(evidence: Evidence) -> tuple[Flag, ...]:
    """Return the flags of an image, the most important first."""
    return tuple(flag for check in _CHECKS for flag in check(evidence))


def _empty(evidence: Evidence) -> Iterator[Flag]:
    if evidence.nucleus.blank:
        yield Flag(
            "blank-nucleus",
            "the nucleus channel is blank",
            "Check that it is the right channel (--nuclear_channel) and that it was exported with its pixels",
        )
    elif not any(evidence.counts.values()):
        yield Flag(
            "empty",
            "nothing was found",
            "Look whether the picture shows tissue, and check the channels (--nuclear_channel, --membrane_channel) "
            "and µm/px (--image_mpp)",
        )


def _blank_membrane(evidence: Evidence) -> Iterator[Flag]:
    if "whole-cell" not in evidence.counts or evidence.membrane is None or not evidence.membrane.blank:
        return
    yield Flag(
        "blank-membrane",
        f"the membrane channel is blank ({evidence.membrane_text}): cells follow their nuclei",
        "Name channels that show membranes or cytoplasm with --membrane_channel (several with commas), or take the "
        "nuclei alone (--compartment nuclear)",
    )


def _pixel_size(evidence: Evidence) -> Iterator[Flag]:
    limits = {"nuclear": ("nuclei", NUCLEUS_UM2), "whole-cell": ("cells", CELL_UM2)}
    for compartment, (word, (low, high)) in limits.items():
        median = evidence.medians.get(compartment)
        if median is None or evidence.counts.get(compartment, 0) < FEW or low <= median <= high:
            continue
        yield Flag(
            "pixel-size",
            f"half of the {word} are {'smaller' if median < low else 'larger'} than {median:.3g} µm², where {low:g} "
            f"to {high:g} µm² are usual: {evidence.mpp_text} may be wrong",
            "Look up the size of a pixel at the microscope and give it with --image_mpp",
        )
        return


def _disagreement(evidence: Evidence) -> Iterator[Flag]:
    nuclei, cells = evidence.counts.get("nuclear", 0), evidence.counts.get("whole-cell", 0)
    alone = evidence.alone.get("nuclear", 0)
    if nuclei >= FEW and alone > ALONE_NUCLEI * nuclei:
        yield Flag(
            "unmatched-nuclei",
            f"{alone:,} of {nuclei:,} nuclei ({alone / nuclei:.0%}) lie in no cell",
            "Look at the crops; add channels to --membrane_channel that mark the cells that are missed, or lower "
            "--whole_cell_interior_threshold",
        )
    alone = evidence.alone.get("whole-cell", 0)
    if cells >= FEW and alone > ALONE_CELLS * cells:
        yield Flag(
            "cells-without-nucleus",
            f"{alone:,} of {cells:,} cells ({alone / cells:.0%}) have no nucleus",
            "Look at the crops; check that --nuclear_channel is the nuclear stain and not too dim",
        )


def _saturation(evidence: Evidence) -> Iterator[Flag]:
    found = {name: one.saturated for name, one in evidence.channels.items() if one.saturated > SATURATED}
    if found:
        shares = ", ".join(f"{name} ({share:.1%} of the pixels)" for name, share in found.items())
        yield Flag(
            "saturated",
            f"saturated: {shares}",
            "Intensities of bright cells are too low there; use a shorter exposure next time, and take care with "
            "thresholds on means and maxima",
        )


def _blur(evidence: Evidence) -> Iterator[Flag]:
    if evidence.parts and evidence.blurred > BLURRED * evidence.parts and evidence.blurred > 1:
        yield Flag(
            "out-of-focus",
            f"{evidence.blurred} of {evidence.parts} parts looked at are out of focus",
            "Look at the crops; scan again with more focus points, or leave cells of these areas out",
        )


_CHECKS: tuple[Callable[[Evidence], Iterator[Flag]], ...] = (
    _empty,
    _blank_membrane,
    _pixel_size,
    _disagreement,
    _saturation,
    _blur,
)
