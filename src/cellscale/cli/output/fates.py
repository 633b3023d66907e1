"""What became of the outputs of a run, for its closing words."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from typing import get_args

from cellscale.pipeline.outcome import Fate, RunOutcome
from cellscale.storage.uri import base_name

__all__ = ["fate_lines"]

_SHOWN = 16
"""Files of one fate that are named one by one, all of one image's; of more, the folders are, so that a terminal of 24
lines still shows the table above them."""
_ALWAYS: frozenset[Fate] = frozenset({"removed", "left as a person's"})
"""What is always named: a person has to know of each."""


def fate_lines(outcome: RunOutcome) -> Iterator[str]:
    """Yield what was made, kept, removed and left as a person's, each with its path; of very many files the folders.

    Parameters
    ----------
    outcome
        What became of the run.
    """
    places: dict[Fate, list[str]] = defaultdict(list)
    last = {one.place: one.fate for image in outcome.images for one in image.fates}
    for place, fate in last.items():
        places[fate].append(place)
    for fate in get_args(Fate):
        found = places[fate]
        if len(found) <= _SHOWN or fate in _ALWAYS:
            yield from (f"{fate}: {place}" for place in found)
        else:
            yield from (f"{fate}: {line}" for line in _folder_lines(Counter(map(_folder_of, found))))


def _folder_lines(files: Mapping[str, int]) -> Iterator[str]:
    """Yield how many files are in each folder; of very many folders, as a project has, in theirs."""
    above: dict[str, list[str]] = defaultdict(list)
    for folder in files:
        above[_folder_of(folder)].append(folder)
    for parent, folders in above.items():
        if len(folders) > _SHOWN:
            yield f"{sum(files[folder] for folder in folders):,} files in {len(folders):,} folders of {parent}"
        else:
            yield from (f"{files[folder]:,} files in {folder}" for folder in folders)


def _folder_of(place: str) -> str:
    return place[: -len(base_name(place)) - 1]
