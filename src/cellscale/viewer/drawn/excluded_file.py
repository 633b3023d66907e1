"""Cells that a person excludes: a table by Object ID, as ``cellscale classify`` takes it."""

import csv
import io
from collections.abc import Collection, Mapping

from cellscale.storage.uri import join
from cellscale.viewer.drawn.persons_file import dataset_folder, read_marked, replace_marked
from cellscale.viewer.request_errors import BadRequestError
from cellscale.workspace.layout import WorkspacePaths

__all__ = ["EXCLUDED", "read_excluded", "write_excluded"]

EXCLUDED = "excluded_cells.tsv"
"""Name of the table in the dataset, of all images."""

_COLUMNS = ("Image", "Object ID", "Class")
_CLASS = "Excluded"


def read_excluded(paths: WorkspacePaths, image: str) -> tuple[set[str], str]:
    """Return the Object IDs of an image's excluded cells, and the file's mark.

    Raises
    ------
    BadRequestError
        The file is no such table.
    """
    rows, mark = _rows(paths)
    return {row["Object ID"] for row in rows if row["Image"] == image}, mark


def write_excluded(paths: WorkspacePaths, image: str, ids: Collection[str], known: str) -> str:
    """Write which of an image's cells are excluded; rows of other images, and other columns, stay.

    Raises
    ------
    BadRequestError
        The file is no such table, or was changed meanwhile.
    """
    rows, _ = _rows(paths)
    there = {row["Object ID"] for row in rows if row["Image"] == image}
    kept = [row for row in rows if row["Image"] != image or row["Object ID"] in ids]
    new = [{"Image": image, "Object ID": one, "Class": _CLASS} for one in sorted(set(ids) - there)]
    columns = list(dict.fromkeys([*_COLUMNS, *(name for row in rows for name in row)]))
    stream = io.StringIO()
    writer = csv.DictWriter(stream, columns, delimiter="\t", lineterminator="\n", restval="")
    writer.writeheader()
    writer.writerows([*kept, *new])
    return replace_marked(dataset_folder(paths), EXCLUDED, stream.getvalue().encode(), known)


def _rows(paths: WorkspacePaths) -> tuple[list[Mapping[str, str]], str]:
    location = join(dataset_folder(paths), EXCLUDED)
    content, mark = read_marked(location)
    if not content:
        return [], mark
    try:
        reader = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter="\t", strict=True)
        rows: list[Mapping[str, str]] = [dict(row) for row in reader]
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadRequestError(f"{location} is no table of tab-separated columns ({error})") from error
    columns = reader.fieldnames or []
    if not {"Image", "Object ID"} <= set(columns) or any(None in row or None in row.values() for row in rows):
        raise BadRequestError(
            f"{location} has the columns {', '.join(columns)}; expected a table with {', '.join(_COLUMNS)}, and "
            "as many columns in each row"
        )
    return rows, mark
