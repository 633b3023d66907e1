"""The settings files of a run: those that are named, or the one in the dataset."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from cellscale.cli.settings.sample_sheet import read_sheet
from cellscale.cli.settings.section import Section
from cellscale.cli.settings.settings_toml import SHEET, read_settings
from cellscale.errors import SettingsError, StorageError
from cellscale.storage.credentials import without_credentials
from cellscale.storage.uri import Location, base_name, is_uri, join, read_bytes, read_if_there

__all__ = ["SETTINGS", "read_files"]

Content = TypeVar("Content", bytes, bytes | None)

SETTINGS = "cellscale.toml"
"""Name of the settings file that a dataset may have."""


def read_files(named: Sequence[Location], dataset: Location | None) -> tuple[list[Section], Location | None]:
    """Return all that settings files say, in their order: what comes later wins.

    Parameters
    ----------
    named
        Settings files and sample sheets that were named.
    dataset
        Folder of the dataset, whose settings file is taken where none is named; None for none. In an object store
        none is looked for: who may not list a bucket would be told that it is forbidden.

    Returns
    -------
    The sections, and the settings file that was taken unasked.

    Raises
    ------
    SettingsError
        A file is not there, cannot be read, or is not as expected.
    """
    if named:
        return [section for location in named for section in _read(location, _content(location))], None
    if dataset is None or is_uri(dataset) or Path(dataset).is_file():  # that a file is no dataset is told later
        return [], None
    location = join(dataset, SETTINGS)
    content = _content(location, read_if_there)
    return ([], None) if content is None else (_read(location, content), location)


def _read(location: Location, content: bytes) -> list[Section]:
    text = _decoded(location, content)
    folder = _folder(location)
    if str(location).lower().endswith((".csv", ".tsv")):
        return read_sheet(text, location, folder)
    sections = read_settings(text, location, folder)
    general = sections[0]
    if SHEET not in general.values:
        return sections
    name = general.values[SHEET]
    if not isinstance(name, str):
        raise SettingsError(f"{general.place(SHEET)}: {SHEET}: expected the name of a file, as text")
    rest = {key: value for key, value in general.values.items() if key != SHEET}
    try:
        rows = _read_sheet(without_credentials(name) if is_uri(name) else join(folder, name))
    except SettingsError as error:
        raise SettingsError(f"{general.place(SHEET)}: {error}") from error
    return [Section(None, rest, general.place, folder), *rows, *sections[1:]]


def _read_sheet(location: Location) -> list[Section]:
    return read_sheet(_decoded(location, _content(location)), location, _folder(location))


def _content(location: Location, read: Callable[[Location], Content] = read_bytes) -> Content:
    try:
        return read(location)
    except StorageError as error:
        raise SettingsError(f"the settings cannot be read: {error}") from error


def _decoded(location: Location, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise SettingsError(
            f"{location}, line {line}: this is not UTF-8 (byte {content[error.start]:#04x}); save the file as UTF-8"
        ) from error


def _folder(location: Location) -> Location:
    """Return the folder of a file."""
    if is_uri(location):
        return str(location)[: -len(base_name(location)) - 1]
    return Path(location).parent
