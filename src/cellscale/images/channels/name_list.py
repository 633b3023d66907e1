"""Lists of channels' names that lie beside images whose files have none.

MCMICRO describes the channels of stitched images in ``markers.csv`` (``channel_number``, ``cycle_number``,
``marker_name``), steinbock in ``panel.csv`` (``channel``, ``name``, ``keep``: the images have the channels that are
kept); CODEX has a text file with a name a line.
"""

import csv
import re
from collections.abc import Mapping, Sequence

from cellscale.errors import RequestError
from cellscale.written_numbers import whole_number

__all__ = ["LIST_NAMES", "parse_names"]

LIST_NAMES = (
    "markers.csv",
    "panel.csv",
    "channel_names.csv",
    "channel_names.txt",
    "channelnames.txt",
    "markers.txt",
    "panel.txt",
)
"""Names of files that are looked for beside images, the first first, in any case of letters."""

_COLUMNS = ("marker_name", "channel_name", "name")
_MOST = 2**20
_ENCODINGS = (("utf-16", (b"\xff\xfe", b"\xfe\xff")), ("utf-8-sig", (b"",)))


def parse_names(content: bytes, source: str) -> tuple[str, ...]:
    """Return the names in a list, in the order of the channels.

    A table has one of the columns ``marker_name``, ``channel_name`` and ``name``. Its rows are the channels in their
    order, or have it in ``channel_number``, which may begin anew with each ``cycle_number``. Rows whose ``keep`` is 0
    are left out; one without a name has that of its column ``channel``.

    Parameters
    ----------
    content
        Of a CSV file (parted by commas, semicolons or tabs), or of a text file with a name a line; in UTF-8, UTF-16
        or Windows' western encoding.
    source
        The file's name, for messages.

    Raises
    ------
    RequestError
        There is no name, a row has none, or positions do not make an order.
    """
    if len(content) > _MOST:
        raise RequestError(
            f"{source}: {len(content):,} bytes found; a list of channels' names has fewer than {_MOST:,}"
        )
    lines = [line for line in _text(content).splitlines() if line.strip()]
    if not lines:
        raise RequestError(f"{source}: no name found; a table with a column marker_name, or a name a line, expected")
    delimiter = max(",;\t", key=lines[0].count)
    header = [_normal(cell) for cell in next(csv.reader(lines[:1], delimiter=delimiter))]
    if any(column in header for column in _COLUMNS):
        return _of_table(header, lines[1:], delimiter, source)
    if delimiter in lines[0] and not source.lower().endswith(".txt"):
        raise RequestError(
            f"{source}: columns {', '.join(header)} found; one called {' or '.join(_COLUMNS)} expected, or a text "
            "file with a name a line"
        )
    return tuple(line.strip().strip('"') for line in lines)


def _text(content: bytes) -> str:
    encoding = next(name for name, marks in _ENCODINGS if content.startswith(marks))
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


def _normal(cell: str) -> str:
    return re.sub(r"[\s_-]+", "_", cell.strip().casefold())


def _of_table(header: Sequence[str], lines: Sequence[str], delimiter: str, source: str) -> tuple[str, ...]:
    rows: list[dict[str, str]] = []
    for number, cells in enumerate(csv.reader(lines, delimiter=delimiter), 2):
        row = dict(zip(header, (cell.strip() for cell in cells), strict=False))
        if not any(row.values()) or row.get("keep", "").casefold() in ("0", "0.0", "false"):
            continue
        row["name"] = next((row[column] for column in (*_COLUMNS, "channel") if row.get(column)), "")
        if not row["name"]:
            raise RequestError(f"{source}: row {number} has no name: give each channel one")
        rows.append(row)
    if not rows:
        raise RequestError(f"{source}: a header without rows found; a row for each channel expected")
    return tuple(row["name"] for row in _in_order(rows, source))


def _in_order(rows: list[dict[str, str]], source: str) -> list[dict[str, str]]:
    """Return rows in the order of their positions; as they are where they have none."""
    if not any(row.get("channel_number") for row in rows):
        return rows
    places = [_place(row, source) for row in rows]
    for kind in (slice(1, 2), slice(0, 2)):  # the channel alone, or with its cycle
        numbers = [place[kind] for place in places]
        if len(set(numbers)) == len(rows):
            return [rows[index] for index in sorted(range(len(rows)), key=numbers.__getitem__)]
    twice = next(row for row, place in zip(rows, places, strict=True) if places.count(place) > 1)
    raise RequestError(
        f"{source}: channel_number {twice['channel_number']} is there more than once; a number of its own for each "
        "channel expected, or for each channel of a cycle_number"
    )


def _place(row: Mapping[str, str], source: str) -> tuple[int, int]:
    cycle, channel = (whole_number(row.get(key) or "1") for key in ("cycle_number", "channel_number"))
    if cycle is None or channel is None or not row.get("channel_number"):
        raise RequestError(
            f"{source}: {row['name']} has channel_number {row.get('channel_number', '')!r} and cycle_number "
            f"{row.get('cycle_number', '')!r}; whole numbers expected"
        )
    return cycle, channel
