"""A check of `cellscale doctor`, and the libraries that cellscale is installed with."""

import importlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from typing import Literal, TypeAlias

from cellscale.errors import CellscaleError

__all__ = ["Check", "Status", "libraries", "looked"]

Status: TypeAlias = Literal["ok", "note", "problem"]
"""``note``: something to know, which keeps no run from working; ``problem``: a run would fail."""

_NOT_BY_NAME = frozenset({"onnxruntime"})
"""Loaded by cellscale itself, which has settings for it; another package may be in its place."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    name: str
    status: Status
    found: str
    advice: str = ""
    """What to do, where something is wrong."""


def looked(name: str, look: Callable[[], Sequence[Check]]) -> list[Check]:
    """Return what a look gives; where it fails, whatever the reason, one check that says why.

    Parameters
    ----------
    name
        Of that check.
    look
        Gives the checks.
    """
    try:
        return list(look())
    except CellscaleError as error:
        return [Check(name, "problem", str(error))]
    except Exception as error:  # to find what fails is what this is for
        return [Check(name, "problem", f"{type(error).__name__}: {' '.join(str(error).split())}")]


def libraries() -> list[Check]:
    """Load every library that cellscale needs, and return the versions of all, with those of installed extras."""
    found, broken = [], []
    for package, extra in _required():
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            if not extra and package not in _NOT_BY_NAME:
                broken.append(f"{package} is not installed")
            continue
        if extra or package in _NOT_BY_NAME:
            continue
        try:
            importlib.import_module(package)
        except Exception as error:  # whatever a broken installation does
            broken.append(f"{found[-1]} cannot be loaded ({type(error).__name__}: {' '.join(str(error).split())})")
    if broken:
        advice = "install what fails again: pip install --upgrade --force-reinstall " + " ".join(
            one.partition(" ")[0] for one in broken
        )
        return [
            Check("libraries", "problem", "; ".join(broken), advice),
            Check("versions of all", "ok", ", ".join(found)),
        ]
    return [Check("libraries", "ok", ", ".join(found))]


def _required() -> list[tuple[str, bool]]:
    """Return the packages that cellscale asks for, by name, and whether only an extra does."""
    named: dict[str, bool] = {}
    for line in requires("cellscale") or ():
        name, _, condition = line.partition(";")
        match = re.match(r"[\w.-]+", name.strip())
        if match is not None and match[0] != "cellscale":
            named[match[0]] = named.get(match[0], True) and "extra ==" in condition
    return sorted(named.items(), key=lambda item: (item[1], item[0]))
