"""Settings files in TOML: options by their names, those of some images in tables of their own."""

import re
import tomllib
from collections.abc import Iterator
from functools import partial
from typing import Any

from cellscale.cli.settings.section import Section
from cellscale.errors import SettingsError
from cellscale.storage.uri import Location

__all__ = ["SHEET", "read_settings"]

IMAGE = "image"
"""The table whose tables are named by images."""
SHEET = "samplesheet"
"""The key that names a sample sheet."""

_POSITION = re.compile(r"^(?P<reason>.*?) \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)$")
_KEY = re.compile(r"""[ \t]*(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([A-Za-z0-9_-]+))[ \t]*[.=]""")


def read_settings(text: str, location: Location, folder: Location) -> list[Section]:
    """Return what a settings file says: of all images first, then of some, in the order of the file.

    Parameters
    ----------
    text
        Its content.
    location
        Where it is, for messages.
    folder
        Its folder.

    Raises
    ------
    SettingsError
        It is no TOML, or its tables are not as expected.
    """
    try:
        facts = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(
            f"{_where(error, text, location)}; see https://toml.io for how TOML is written"
        ) from error
    images = facts.pop(IMAGE, {})
    general = partial(_place, text, location, ())
    if not isinstance(images, dict):
        raise SettingsError(
            f'{general(IMAGE)}: {IMAGE} has a value; expected tables named by images, as in [{IMAGE}."slide_1"]'
        )
    sections = [Section(None, facts, general, folder)]
    for name, values in images.items():
        place = partial(_place, text, location, (IMAGE, name))
        if not isinstance(values, dict):
            raise SettingsError(
                f"{_place(text, location, (IMAGE,), name)}: {name} stands in the table [{IMAGE}] itself; put it into "
                f'a table of an image, as in [{IMAGE}."slide_1"], or above all tables for all images'
            )
        nested = next((key for key, value in values.items() if isinstance(value, dict)), None)
        if nested is not None:
            raise SettingsError(
                f'{place(None)}: a name with dots needs quotes: write [{IMAGE}."{name}.{nested}"] for the image '
                f"{name}.{nested}"
            )
        sections.append(Section(name, values, place, folder))
    return sections


def _where(error: tomllib.TOMLDecodeError, text: str, location: Location) -> str:
    """Return what is wrong, after where it is."""
    match = _POSITION.match(str(error))
    if match is None:
        return f"{location}: {error}"
    lines = text.split("\n")
    line = match["line"] or len(lines)
    column = match["column"] or len(lines[-1]) + 1
    return f"{location}, line {line}, column {column}: {match['reason']}"


def _place(text: str, location: Location, table: tuple[str, ...], key: str | None) -> str:
    """Return where a key is, or where its table begins."""
    for line, column, found, name in _statements(text):
        if (found, name) == (table, key):
            return f"{location}, line {line}, column {column}"
    return str(location)


def _statements(text: str) -> Iterator[tuple[int, int, tuple[str, ...], str | None]]:
    """Yield line and column of each table and key of a file, with the table, and the key where it is one.

    TOML's own reader keeps no places. A line begins a statement where all that is above it is a whole file.
    """
    table: tuple[str, ...] = ()
    lines = text.split("\n")
    for number, line in enumerate(lines, 1):
        header = line.lstrip(" \t").startswith("[")
        match = None if header else _KEY.match(line)
        if not (header or match) or not _is_whole("\n".join(lines[: number - 1])):
            continue
        column = len(line) - len(line.lstrip(" \t")) + 1
        if match is not None:
            yield number, column, table, _unquoted(match)
        else:
            table = _header(line)
            yield number, column, table, None


def _is_whole(text: str) -> bool:
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return False
    return True


def _unquoted(match: re.Match[str]) -> str:
    double, single, bare = match.groups()
    return bare or single or str(next(iter(tomllib.loads(f'"{double or ""}" = 0'))))


def _header(line: str) -> tuple[str, ...]:
    """Return the names in a table's header."""
    names = []
    value: Any = tomllib.loads(line)
    while isinstance(value, dict | list) and value:
        if isinstance(value, list):
            value = value[0]
            continue
        name, value = next(iter(value.items()))
        names.append(name)
    return tuple(names)
