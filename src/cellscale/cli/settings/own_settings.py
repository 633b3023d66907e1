"""Which settings hold for which images."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from cellscale.cli.settings.option_keys import OptionKeys
from cellscale.cli.settings.section import Section
from cellscale.errors import SettingsError
from cellscale.storage.uri import base_name

if TYPE_CHECKING:
    from cellscale.workspace.discovery import ImageEntry

__all__ = ["Merged", "merged", "own_settings"]

_SHOWN = 10
"""Names that a message has."""


@dataclass(frozen=True, slots=True)
class Merged:
    """What several sections say together, by the names of options."""

    values: Mapping[str, Any]
    """What the options get."""
    words: Mapping[str, Any]
    """The words for that, which hold from any folder."""
    places: Mapping[str, str]
    """Where each is said, with its key."""


def merged(keys: OptionKeys, sections: Sequence[Section]) -> Merged:
    """Return what sections say together: the later one wins, and the command line over all.

    Raises
    ------
    SettingsError
        A key is unknown, or a value is not one that its option takes.
    """
    found = Merged({}, {}, {})
    for section in sections:
        for key, value in section.values.items():
            option = keys.option(key, section)
            name = str(option.name)
            cast, words = keys.cast(option, key, value, section)
            if name not in keys.given:
                found = Merged(
                    {**found.values, name: cast},
                    {**found.words, name: words},
                    {**found.places, name: f"{section.place(key)}: {key}"},
                )
    return found


def own_settings(
    keys: OptionKeys, sections: Sequence[Section], entries: Sequence["ImageEntry"]
) -> tuple[list[tuple[tuple[str, ...], Merged]], tuple[str, ...]]:
    """Return what holds for some images alone, images with the same together.

    Parameters
    ----------
    keys
        The options.
    sections
        What files say of images, by name or pattern. All that fit an image hold for it, the later ones first.
    entries
        All images of the dataset.

    Returns
    -------
    Names of images with what holds for them; and patterns that no image fits, as warnings.

    Raises
    ------
    SettingsError
        A key is unknown, a value is not one that its option takes, or an image is not there.
    """
    fitting: dict[str, list[int]] = defaultdict(list)
    warnings = []
    names = _names(entries)
    for number, section in enumerate(sections):
        merged(keys, [section])  # also where no image fits
        images = _fitting(str(section.pattern), names)
        for image in images:
            fitting[image].append(number)
        if not images:
            warnings.append(_nothing_fits(section, [entry.name for entry in entries]))
    together: dict[tuple[int, ...], list[str]] = defaultdict(list)
    for image, numbers in fitting.items():
        together[tuple(numbers)].append(image)
    own = [
        (tuple(images), merged(keys, [sections[number] for number in numbers]))
        for numbers, images in together.items()
    ]
    return [one for one in own if one[1].values], tuple(warnings)


def _names(entries: Sequence["ImageEntry"]) -> dict[str, set[str]]:
    """Return the images by each name that they may be called by: their own, and those of their files."""
    found: dict[str, set[str]] = defaultdict(set)
    for entry in entries:
        for name in (entry.name, *(base_name(file) for file in (entry.image, entry.npz) if file is not None)):
            found[name].add(entry.name)
    return found


def _fitting(pattern: str, names: Mapping[str, set[str]]) -> list[str]:
    if pattern in names:
        return sorted(names[pattern])
    if not _is_pattern(pattern):  # sheets of other programs have paths
        return sorted(names.get(base_name(pattern), ()))
    return sorted({image for name, images in names.items() if fnmatchcase(name, pattern) for image in images})


def _is_pattern(text: str) -> bool:
    return any(sign in text for sign in "*?[")


def _nothing_fits(section: Section, images: list[str]) -> str:
    """Return that a pattern fits no image; a name that is none's is an error."""
    where, name = section.place(None), str(section.pattern)
    if _is_pattern(name):
        return f"{where}: no image fits {name!r}; what is said of it has no effect"
    close = get_close_matches(name, images, n=1)
    more = f" and {len(images) - _SHOWN} more" if len(images) > _SHOWN else ""
    there = f"did you mean {close[0]}?" if close else f"there are: {', '.join(images[:_SHOWN])}{more}"
    raise SettingsError(f"{where}: there is no image {name!r}; {there}")
