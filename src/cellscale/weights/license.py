"""Whether the user has accepted a model's licence."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from textwrap import fill

from cellscale.errors import ModelError
from cellscale.weights.catalogue import PublishedModel, cache_folder

__all__ = ["is_accepted", "notice", "record_acceptance", "require_acceptance"]

_WIDTH = 79
"""Characters in a line: terminals have 80."""


def notice(model: PublishedModel) -> str:
    """Return what a user should read before accepting the licence of a model's weights."""
    terms = model.license
    parts = (terms.name, terms.terms, f"Licence: {terms.location}", f"Please cite: {terms.citation}")
    return "\n\n".join(fill(part, _WIDTH, break_long_words=False, break_on_hyphens=False) for part in parts)


def is_accepted(model: PublishedModel) -> bool:
    """Tell whether the licence has been accepted before, or is by the environment, or need not be accepted."""
    variable = model.license.variable
    return variable is None or os.environ.get(variable) == "1" or _record(model).is_file()


def record_acceptance(model: PublishedModel) -> None:
    """Note beside the weights that the licence was accepted, so that nobody is asked twice."""
    record = _record(model)
    record.parent.mkdir(parents=True, exist_ok=True)
    facts = {"model": model.name, "license": model.license.name, "accepted": datetime.now(UTC).isoformat()}
    record.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")


def require_acceptance(model: PublishedModel) -> None:
    """Refuse to go on without the user's consent.

    Raises
    ------
    ModelError
        The licence has not been accepted; the message shows it and says how to accept it.
    """
    if not is_accepted(model):
        raise ModelError(
            f"the {model.name} weights have a licence that you have not accepted yet:\n\n{notice(model)}\n\n"
            f"To accept it: cellscale models fetch {model.name} --accept_license "
            f"(or set {model.license.variable}=1)"
        )


def _record(model: PublishedModel) -> Path:
    return cache_folder() / f"{model.name}.license-accepted.json"
