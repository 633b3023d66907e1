"""What a network is to be given of an image: its pixel size, its channels, their values, and the size of tiles."""

from cellscale.predict.input_format.format_checks import problem_of_format
from cellscale.predict.input_format.formats import (
    INSTANSEG_INPUT,
    MESMER_INPUT,
    InputFormat,
    Role,
    is_own_format,
    settled_format,
)
from cellscale.predict.input_format.normalisation import Fixed, Normalisation, Percentiles, ZScore
from cellscale.predict.input_format.said import format_said, input_format_of

__all__ = [
    "INSTANSEG_INPUT",
    "MESMER_INPUT",
    "Fixed",
    "InputFormat",
    "Normalisation",
    "Percentiles",
    "Role",
    "ZScore",
    "format_said",
    "input_format_of",
    "is_own_format",
    "problem_of_format",
    "settled_format",
]
