"""Sample sheets: a table with a row for each image and a column for each option."""

import csv
import io
from functools import partial

from cellscale.cli.settings.section import Section
from cellscale.errors import SettingsError
from cellscale.storage.uri import Location

__all__ = ["read_sheet"]

IMAGE = "image"
_SEPARATORS = ",;\t"


def read_sheet(text: str, location: Location, folder: Location) -> list[Section]:
    """Return what a sample sheet says, a section for each row; an empty cell says nothing.

    Parameters
    ----------
    text
        Its content: a first line with the names of columns, separated by commas, semicolons or tabs.
    location
        Where it is, for messages.
    folder
        Its folder.

    Raises
    ------
    SettingsError
        It has no column of images, or a row or column that cannot be taken.
    """
    first = text.partition("\n")[0]
    separator = max(_SEPARATORS, key=first.count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        header = [name.strip() for name in next(rows, [])]
        _check_header(header, location)
        sections: dict[str, Section] = {}
        for cells in rows:
            if not any(cell.strip() for cell in cells):
                continue
            section = _row(header, cells, rows.line_num, location, folder)
            other = sections.setdefault(str(section.pattern), section)
            if other is not section:
                raise SettingsError(
                    f"{section.place(None)}: the image {section.pattern} has a row already ({other.place(None)}); "
                    "leave one out"
                )
    except csv.Error as error:
        raise SettingsError(f"{location}, line {rows.line_num}: {error}; check the quotes of its cells") from error
    return list(sections.values())


def _check_header(header: list[str], location: Location) -> None:
    where = f"{location}, line 1"
    if IMAGE not in header:
        found = ", ".join(filter(None, header)) or "none"
        raise SettingsError(f"{where}: there is no column {IMAGE!r}, which names the images; found columns: {found}")
    for column, name in enumerate(header, 1):
        if not name:
            raise SettingsError(
                f"{where}, column {column}: this column has no name; name the option that it is about"
            )
        if header.index(name) != column - 1:
            raise SettingsError(f"{where}, column {column}: there is another column {name!r}; leave one out")


def _row(header: list[str], cells: list[str], line: int, location: Location, folder: Location) -> Section:
    if len(cells) > len(header):
        raise SettingsError(
            f"{location}, line {line}, column {len(header) + 1}: the row has {len(cells)} cells, but there are "
            f"{len(header)} columns; put a cell that has a separator in double quotes"
        )
    values = {name: cell.strip() for name, cell in zip(header, cells, strict=False) if cell.strip()}
    place = partial(_place, header, line, location)
    name = values.pop(IMAGE, None)
    if name is None:
        raise SettingsError(f"{place(IMAGE)}: the row names no image")
    return Section(name, values, place, folder)


def _place(header: list[str], line: int, location: Location, key: str | None) -> str:
    column = f", column {header.index(key) + 1} ({key})" if key is not None else ""
    return f"{location}, line {line}{column}"
