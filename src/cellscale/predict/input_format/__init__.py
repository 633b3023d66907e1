"""What a network is to be given of an image: its pixel size, its channels, their values, and the size of tiles."""

from cellscale.predict.input_format.about import About, problem_of_about
from cellscale.predict.input_format.format_checks import problem_of_format
from cellscale.predict.input_format.formats import (
    INSTANSEG_INPUT,
    MESMER_INPUT,
    InputFormat,
    Role,
    is_own_format,
    settled_format,
)
from cellscale.predict.input_format.listed import ListedKind, kinds_of_packages
from cellscale.predict.input_format.normalisation import Fixed, Normalisation, Percentiles, ZScore
from cellscale.predict.input_format.said import Said, format_said, said_of

__all__ = [
    "INSTANSEG_INPUT",
    "MESMER_INPUT",
    "About",
    "Fixed",
    "InputFormat",
    "ListedKind",
    "Normalisation",
    "Percentiles",
    "Role",
    "Said",
    "ZScore",
    "format_said",
    "is_own_format",
    "kinds_of_packages",
    "problem_of_about",
    "problem_of_format",
    "said_of",
    "settled_format",
]
