"""The options about finding cells: what the network gets, and how its maps become labels."""

from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from typing import Any

import click

from cellscale.cli.options.shared_options import Option, one_of, option_in
from cellscale.errors import RequestError
from cellscale.label.growth import MOST, Growth, as_growth
from cellscale.label.parameters import NUCLEUS, WHOLE_CELL, Parameters, usual_parameters
from cellscale.preprocess.preprocessing import MESMER, Preprocessing

__all__ = ["SEGMENTING_OPTIONS", "growth", "growth_of", "label_parameters", "preprocessing"]

_prepared = option_in("What the network sees")
_grown = option_in("Labels")


def growth(text: str) -> Growth:
    """Read a length such as ``3um`` or ``5px``."""
    try:
        return as_growth(text)
    except RequestError as error:
        raise click.BadParameter(str(error)) from error


_PARAMETER_HELP = {
    "maxima_threshold": "Height by which a maximum must stand out to be an object's centre.",
    "interior_threshold": "Interior above this belongs to objects.",
    "interior_smoothing": "Sigma of the Gaussian over the interior, in pixels.",
    "maxima_smoothing": "Sigma of the Gaussian over the maxima, in pixels.",
    "radius": "Radius of the neighbourhood of a maximum, in pixels.",
    "small_objects": "Objects of fewer pixels are removed.",
    "holes": "Holes of fewer pixels are filled.",
    "label_erosion": "Pixels taken away from the edges of objects.",
}
_FOR_BOTH = ("label_erosion",)
"""Parameters that have an option for both compartments besides."""

_WITH_OWN_DEFAULTS = ("torch-mesmer",)
"""Networks whose labels are made with other values than Mesmer's, if nobody says which."""

_LABELS: dict[str, tuple[str, Parameters]] = {
    "whole_cell": ("Labels of whole cells", WHOLE_CELL),
    "nuclear": ("Labels of nuclei", NUCLEUS),
}


def _label_options() -> Iterator[Option]:
    """Make an option of every postprocessing parameter of each compartment."""
    for position, (prefix, (heading, defaults)) in enumerate(_LABELS.items()):
        others = {name: usual_parameters(name)[position] for name in _WITH_OWN_DEFAULTS}
        for field in fields(Parameters):
            # Which default counts is known only when the network is.
            yield option_in(heading)(
                f"--{prefix}_{field.name}",
                type=type(getattr(defaults, field.name)),
                help=f"{_PARAMETER_HELP[field.name]} Default: {_default(field.name, defaults, others)}.",
            )


def _default(name: str, defaults: Parameters, others: Mapping[str, Parameters]) -> str:
    """Return the words for the default of a parameter."""
    if name in _FOR_BOTH:
        return f"as --{name}"
    usual = getattr(defaults, name)
    own = {other: getattr(parameters, name) for other, parameters in others.items()}
    return "; ".join([f"{usual}", *(f"{value} with {other}" for other, value in own.items() if value != usual)])


SEGMENTING_OPTIONS: list[Option] = [
    _prepared(
        "--percentile",
        type=float,
        default=MESMER.percentile,
        show_default=True,
        metavar="P",
        help="Brighter pixels than this percentile of a channel's non-zero ones are clipped to it; 100 for none.",
    ),
    _prepared(
        "--clahe",
        **one_of("on", "off"),
        default="on",
        show_default=True,
        help="Even out the contrast (contrast-limited adaptive histogram equalisation).",
    ),
    _prepared(
        "--clahe_kernel",
        type=int,
        default=MESMER.clahe_kernel,
        show_default=True,
        metavar="PIXELS",
        help="Side of the squares in which the contrast is evened out, in the network's pixels (0.5 µm).",
    ),
    _grown(
        "--expand_cells",
        type=growth,
        metavar="LENGTH",
        help="Grow cells into the background around them, by 3um or 5px (the image's pixels); they never overlap. "
        "With --compartment nuclear the cells are the nuclei, grown.",
    ),
    _grown(
        "--pixel_expansion",
        type=click.IntRange(0, MOST),
        metavar="PIXELS",
        help="The same as --expand_cells, in pixels of the image.",
    ),
    _grown(
        "--label_erosion",
        type=int,
        default=0,
        show_default=True,
        metavar="PIXELS",
        help="Take so many of the network's pixels (0.5 µm) away from the edges of cells and nuclei.",
    ),
    *_label_options(),
]
"""Options about finding cells, under headings of their own."""


def label_parameters(prefix: str, options: Mapping[str, Any], network: str | None = None) -> Parameters:
    """Return how the maps of a compartment become labels: as the options say, or else as the network's authors do.

    Raises
    ------
    RequestError
        A value is out of its range.
    """
    usual = usual_parameters(network)[list(_LABELS).index(prefix)]
    given = {name: options[name] for name in _FOR_BOTH}
    own = {field.name: options[f"{prefix}_{field.name}"] for field in fields(Parameters)}
    return replace(usual, **given | {name: value for name, value in own.items() if value is not None})


def preprocessing(options: Mapping[str, Any]) -> Preprocessing:
    """Return how channels become the network's input.

    Raises
    ------
    RequestError
        A value is out of its range.
    """
    return Preprocessing(
        percentile=options["percentile"], clahe=options["clahe"] == "on", clahe_kernel=options["clahe_kernel"]
    )


def growth_of(options: Mapping[str, Any]) -> Growth | None:
    """Return by how much cells are to grow.

    Raises
    ------
    RequestError
        Both options were given.
    """
    pixels, length = options["pixel_expansion"], options["expand_cells"]
    if pixels is not None and length is not None:
        raise RequestError("--expand_cells and --pixel_expansion say the same; give one of them")
    found: Growth | None = length if pixels is None else Growth(length=pixels)
    return found
