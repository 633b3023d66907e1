"""The kinds of networks that other packages describe, for people to choose from."""

from dataclasses import dataclass

from cellscale.errors import CellscaleError
from cellscale.extensions import Extension, extensions
from cellscale.predict.input_format.about import About
from cellscale.predict.input_format.said import about_said

__all__ = ["ListedKind", "kinds_of_packages"]


@dataclass(frozen=True, slots=True)
class ListedKind:
    """A kind of networks, as its package tells of it."""

    extension: Extension
    about: About | None
    """None where it cannot be used."""
    problem: str = ""
    """Why not; blank where it can."""


def kinds_of_packages() -> list[ListedKind]:
    """Return the kinds of networks that other packages describe, by name; a broken one says why."""
    return [_listed(found) for found in extensions("networks").values() if not found.is_own]


def _listed(found: Extension) -> ListedKind:
    try:
        kind = found.load()
        if not callable(getattr(kind, "heads", None)):
            raise found.failure(f"{kind!r} has no method heads")
        return ListedKind(found, about_said(found))
    except CellscaleError as error:
        return ListedKind(found, None, str(error))
