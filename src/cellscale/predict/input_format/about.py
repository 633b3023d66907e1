"""What people are told of a kind of networks that a package describes."""

from dataclasses import dataclass

__all__ = ["About", "problem_of_about"]


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What `cellscale models list` says of a kind of networks, and the report of its licence; a line each."""

    description: str = ""
    """What it finds, and in what."""

    license: str = ""
    """Name of the terms of the weights, and who may use them."""

    mpp: float | None = None
    """Micrometres a pixel, as ``input_format`` says of the kind's networks."""

    channels: str = ""
    """What of an image it takes."""

    source: str = ""
    """Where the file is to be had."""


def problem_of_about(said: object) -> str | None:
    """Return what is wrong with what a kind says about itself; None for nothing."""
    if not isinstance(said, About):
        return f"about is {said!r}; an About expected"
    for name in ("description", "license", "channels", "source"):
        value = getattr(said, name)
        if not isinstance(value, str) or not value.isprintable():
            return f"{name} in about is {value!r}; a line of text expected"
    if said.mpp is not None and not (isinstance(said.mpp, int | float) and said.mpp > 0):
        return f"mpp in about is {said.mpp!r}; a number of micrometres expected"
    return None
