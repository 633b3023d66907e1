"""What other packages say of the input of a network that they describe."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from cellscale.errors import CellscaleError
from cellscale.extensions import Extension, extensions
from cellscale.predict.heads import Seeds
from cellscale.predict.input_format.about import About, problem_of_about
from cellscale.predict.input_format.format_checks import problem_of_format
from cellscale.predict.input_format.formats import InputFormat, settled_format

if TYPE_CHECKING:
    from cellscale.predict.network_kinds import NetworkKind
    from cellscale.predict.onnx_file.signature import Signature

__all__ = ["Said", "about_said", "format_said", "said_of"]


@dataclass(frozen=True, slots=True)
class Said:
    """What the package that knows a network says of it."""

    input_format: InputFormat
    """What it is to be given, with nothing left out."""
    license: str
    """Name of the terms of its weights; blank where it does not say."""


def said_of(model: Path, kind: "NetworkKind | None" = None) -> Said | None:
    """Return what the package that knows a network says of it; None where none does.

    Parameters
    ----------
    model
        The ``.onnx`` file; of one that cannot be read, others say so.
    kind
        Which kind it is; None: known by its file.

    Raises
    ------
    ExtensionError
        The package that knows it says something that cannot be.
    """
    known = extensions("networks").values()
    if kind is not None or all(found.is_own for found in known):  # as nearly everywhere: the file need not be read
        return None
    # Here: it brings numpy, which a command's help does without.
    from cellscale.predict.onnx_file.signature import signature_of

    try:
        signature = signature_of(model)
    except (OSError, ValueError):
        return None
    for found in known:
        heads = None
        with suppress(CellscaleError):  # a broken package is told of where nothing else knows the network
            loaded: NetworkKind = found.load()
            with found.blamed():
                heads = loaded.heads(signature)
        if heads is not None:
            if found.is_own:
                return None
            given = format_said(found, signature, seeds=isinstance(heads, Seeds))
            return Said(given, about_said(found).license)
    return None


def about_said(found: Extension) -> About:
    """Return what another package's kind says about itself.

    Raises
    ------
    ExtensionError
        It says something that cannot be.
    """
    said = getattr(found.load(), "about", About())
    problem = problem_of_about(said)
    if problem is not None:
        raise found.failure(problem)
    return cast(About, said)


def format_said(found: Extension, signature: "Signature", *, seeds: bool) -> InputFormat:
    """Return what a network of another package's kind is to be given, with nothing left out.

    Raises
    ------
    ExtensionError
        The package says something that cannot be.
    """
    say = getattr(found.load(), "input_format", None)
    if say is None:
        return settled_format(InputFormat(), seeds=seeds)
    with found.blamed():
        said = say(signature)
    problem = problem_of_format(said, seeds=seeds)
    if problem is not None:
        raise found.failure(problem)
    return settled_format(said, seeds=seeds)
