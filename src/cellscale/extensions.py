"""What other packages add to cellscale, found by entry points; cellscale's own parts are found the same way.

Only the names are looked up here. A package is imported when its part is used for the first time, so that a broken
one stops nobody who does not use it.
"""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import EntryPoint, EntryPoints, entry_points
from typing import Any, Literal, TypeAlias

from cellscale.errors import CellscaleError, ExtensionError, RequestError

__all__ = ["Extension", "Group", "extensions"]

Group: TypeAlias = Literal["engines", "exporters", "networks", "readers"]
"""Entry points of the group ``cellscale.<this>`` are looked for."""

_OURS = "cellscale"


@dataclass(frozen=True, slots=True)
class Extension:
    """A part of cellscale that an entry point names."""

    group: Group
    entry: EntryPoint
    is_own: bool = field(init=False)
    """Whether it is cellscale's own."""

    def __post_init__(self) -> None:
        # Once: each look at a package's name parses its metadata, and exporters are asked for with every image.
        own = self.entry.dist is not None and self.entry.dist.name.lower() == _OURS
        object.__setattr__(self, "is_own", own)

    @property
    def name(self) -> str:
        """What the entry point is called."""
        return self.entry.name

    @property
    def package(self) -> str:
        """Whose it is: ``the package cellscale-czi 1.0``."""
        dist = self.entry.dist
        return f"the package {dist.name} {dist.version}" if dist is not None else self.entry.value

    def __str__(self) -> str:
        """Return what a person needs to find it: ``the reader 'czi' of the package cellscale-czi 1.0``."""
        return f"the {self.group.removesuffix('s')} {self.name!r} of {self.package}"

    def load(self, error: type[CellscaleError] = RequestError) -> Any:
        """Import it.

        Parameters
        ----------
        error
            What is raised where that fails.

        Raises
        ------
        CellscaleError
            Another package's part cannot be imported. What is wrong with our own is raised as it is.
        """
        try:
            return self.entry.load()
        except Exception as cause:  # a module raises anything while it is imported
            if self.is_own:
                raise
            raise error(
                f"{self} cannot be loaded ({self.entry.value}: {_one_line(cause)}); update or remove that package, "
                "or tell its authors"
            ) from cause

    @contextmanager
    def blamed(self) -> Iterator[None]:
        """Turn what the part raises unexpectedly into an error that names it; a part of ours explains itself.

        Raises
        ------
        ExtensionError
            Another package's part has failed.
        """
        try:
            yield
        except Exception as cause:  # it is somebody else's code
            if self.is_own or isinstance(cause, (CellscaleError, MemoryError, OSError)):
                raise
            raise self.failure(_one_line(cause)) from cause

    def failure(self, what: str) -> ExtensionError:
        """Return the error that says that it did something wrong."""
        return ExtensionError(f"{self} failed: {what}; this is an error of that package: tell its authors")


def extensions(group: Group) -> Mapping[str, Extension]:
    """Return what is installed of a group, by name, ours first; nothing is imported.

    Of two of one name ours counts, and else the one that comes first by its package's name.

    Raises
    ------
    RequestError
        Our own are missing: cellscale was not installed as it is now.
    """
    return _extensions(group)


@cache
def _extensions(group: Group) -> Mapping[str, Extension]:
    found = [Extension(group, entry) for entry in _entry_points(f"{_OURS}.{group}")]
    if not any(one.is_own for one in found):
        raise RequestError(
            f"no {group} of cellscale itself are registered, because its files were changed after it was installed; "
            "install it again: pip install --force-reinstall --no-deps, and the folder or file it came from"
        )
    chosen: dict[str, Extension] = {}
    for one in sorted(found, key=lambda one: (not one.is_own, str(one))):
        chosen.setdefault(one.name, one)
    return chosen


def _entry_points(group: str) -> EntryPoints:
    return _installed(tuple(sys.path)).select(group=group)


@cache
def _installed(path: tuple[str, ...]) -> EntryPoints:
    """Return the entry points of all packages, each of which is looked at once, not once for each group."""
    del path
    return entry_points()  # Python 3.11 gives something else than later ones, which can `select` as well


def _one_line(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
