"""Names of measurements that cellscale may have written in other runs."""

import re
from collections.abc import Iterable, Iterator

from cellscale.cells.text import COMPARTMENTS, STATISTICS

__all__ = ["ours_in_all_forms"]

_COMPARTMENT, _STATISTIC = ("|".join(map(re.escape, words)) for words in (COMPARTMENTS, STATISTICS))
_NEW = re.compile(f"({_COMPARTMENT}): (.*): ({_STATISTIC})", re.DOTALL)
_OLD = re.compile(f"(.*): ({_COMPARTMENT}): ({_STATISTIC})", re.DOTALL)
_ALONE = re.compile(f"(.*): ({_STATISTIC})", re.DOTALL)
_SHAPE = re.compile(r"(?:(?:Nucleus|Cell): )?(Area|Length|Max diameter|Min diameter) (?:µm|px)(\^2)?")


def ours_in_all_forms(names: Iterable[str]) -> frozenset[str]:
    """Return names of measurements with those of the same in other dialects, units and kinds of objects."""
    return frozenset(form for name in names for form in _forms(name))


def _forms(name: str) -> Iterator[str]:
    yield name
    new, old, alone, shape = (pattern.fullmatch(name) for pattern in (_NEW, _OLD, _ALONE, _SHAPE))
    if new is not None or old is not None:
        channel, statistic = (
            (new[2], new[3]) if new is not None else (old[1], old[3]) if old is not None else ("", "")
        )
        yield from _intensities(channel, statistic)
    elif alone is not None:
        yield from _intensities(alone[1], alone[2])
    elif shape is not None:
        for unit in ("µm", "px"):
            yield from _prefixed(f"{shape[1]} {unit}{shape[2] or ''}")
    elif name.rpartition(": ")[2] in ("Circularity", "Solidity"):
        yield from _prefixed(name.rpartition(": ")[2])
        yield "Nucleus/Cell area ratio"


def _intensities(channel: str, statistic: str) -> Iterator[str]:
    yield f"{channel}: {statistic}"
    for compartment in COMPARTMENTS:
        yield f"{channel.strip()}: {compartment}: {statistic}"
        yield f"{compartment}: {channel.strip()}: {statistic}"


def _prefixed(feature: str) -> Iterator[str]:
    yield from (feature, f"Nucleus: {feature}", f"Cell: {feature}")
