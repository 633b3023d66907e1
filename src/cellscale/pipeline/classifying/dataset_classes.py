"""Classes put into a dataset: into its QuPath project, its AnnData files, and a table for the viewer."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO

import pyarrow as pa
import pyarrow.parquet as pa_parquet

from cellscale.cells.tables import write_classes
from cellscale.errors import CellscaleError, RequestError, StorageError
from cellscale.faults import failure_text
from cellscale.parquet_bytes import read_parquet_bytes
from cellscale.pipeline.classifying.class_colours import Colour, written_colour
from cellscale.pipeline.classifying.class_table import ClassTable
from cellscale.pipeline.measuring.project_files import entry_number, record_entry_files
from cellscale.qupath.entry import Classes, classify_objects
from cellscale.storage.atomic import write_bytes
from cellscale.storage.uri import exists, join, read_bytes, read_if_there
from cellscale.workspace.layout import WorkspacePaths, classes_name, report_name
from cellscale.workspace.locking import dataset_lock
from cellscale.workspace.record import Ledger, recorded_images

__all__ = ["ClassifiedImage", "classify_dataset"]

_ID, _CLASS, _COLOUR = "Object ID", "Class", "Colour"
_SHOWN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassifiedImage:
    """What became of an image's cells."""

    image: str
    classified: int = 0
    """Cells to which the table gives a class."""
    places: tuple[str, ...] = ()
    """Where the classes are now."""
    notes: tuple[str, ...] = ()
    error: str | None = None


def classify_dataset(
    paths: WorkspacePaths, table: ClassTable, colours: Mapping[str, Colour], *, replaces: bool = False
) -> list[ClassifiedImage]:
    """Give classes to the cells of a dataset's images; what a person did in QuPath stays.

    Parameters
    ----------
    paths
        Folders of the dataset.
    table
        The classes.
    colours
        RGB by class.
    replaces
        Whether classes that a person gave in QuPath are replaced too.

    Returns
    -------
    What became of each image that has cells in the table, or had classes of an earlier one; an image that fails does
    not stop the others.

    Raises
    ------
    RequestError
        No table of cells is there, or classes are for cells that are not; nothing is written then.
    RunInProgressError
        A run is at work on the dataset.
    """
    with dataset_lock(paths, tables=True):
        cells = {image: _ids(paths, image) for image in _images(paths)}
        if not cells:
            raise RequestError(f"there are no tables of cells in {paths.reports}; cellscale measure makes them")
        _refuse_strangers(table, cells, paths)
        return [
            _classified(paths, image, _Asked(table, colours, replaces), ids)
            for image, ids in cells.items()
            if not table.classes.keys().isdisjoint(ids) or exists(join(paths.reports, classes_name(image)))
        ]


@dataclass(frozen=True, slots=True)
class _Asked:
    table: ClassTable
    colours: Mapping[str, Colour]
    replaces: bool


def _images(paths: WorkspacePaths) -> list[str]:
    """Return the images whose cells were measured."""
    try:
        names = recorded_images(paths.jobs)
    except StorageError as error:
        if not isinstance(error.__cause__, FileNotFoundError):
            raise
        return []
    return [name for name in sorted(names) if exists(join(paths.reports, report_name(name, ".parquet")))]


def _ids(paths: WorkspacePaths, image: str) -> list[str]:
    location = join(paths.reports, report_name(image, ".parquet"))
    try:
        ids: list[str] = read_parquet_bytes(read_bytes(location), [_ID]).column(_ID).to_pylist()
    except (pa.ArrowException, KeyError) as error:
        raise RequestError(f"{location} is no table of cells, or a damaged one: {error}") from error
    return ids


def _refuse_strangers(table: ClassTable, cells: Mapping[str, Sequence[str]], paths: WorkspacePaths) -> None:
    """Refuse classes for cells that are not there: they are of another run, and others would be missing."""
    strangers = set(table.classes).difference(*cells.values())
    if strangers:
        shown = ", ".join(sorted(strangers)[:_SHOWN])
        raise RequestError(
            f"{len(strangers):,} of {len(table.classes):,} objects of the table are not in {paths.reports} ({shown}, "
            "...): their classes are of other masks or another dataset. Make the table from those that are there "
            "now, or leave these rows out; nothing was changed"
        )


def _classified(paths: WorkspacePaths, image: str, asked: _Asked, ids: Sequence[str]) -> ClassifiedImage:
    given = {name: asked.table.classes[name] for name in ids if name in asked.table.classes}
    try:
        ledger = Ledger(paths.jobs, image)
        classes = Classes(given=given, before=_before(paths, image), colours=asked.colours, replaces=asked.replaces)
        places: list[str] = []
        notes: list[str] = []
        _in_project(paths, ledger, classes, places, notes)
        _in_anndata(paths, ledger, classes, places)
        _in_table(paths, ledger, classes, asked.table.column, places)
    except CellscaleError as error:
        return ClassifiedImage(image=image, error=failure_text(error))
    return ClassifiedImage(image=image, classified=len(given), places=tuple(places), notes=tuple(notes))


def _before(paths: WorkspacePaths, image: str) -> dict[str, str]:
    """Return the classes that were given the last time."""
    content = read_if_there(join(paths.reports, classes_name(image)))
    if content is None:
        return {}
    try:
        table = read_parquet_bytes(content, [_ID, _CLASS])
    except (pa.ArrowException, KeyError) as error:
        raise StorageError(
            f"{join(paths.reports, classes_name(image))} is damaged, or no table of classes: {error}. Move it away; "
            "classes in QuPath count as yours then, and --replace replaces them"
        ) from error
    return dict(zip(table.column(_ID).to_pylist(), table.column(_CLASS).to_pylist(), strict=True))


def _in_project(paths: WorkspacePaths, ledger: Ledger, classes: Classes, places: list[str], notes: list[str]) -> None:
    number = entry_number(ledger)
    if paths.project is None or number is None:
        return
    folder = join(paths.project, "data", str(number))
    done = classify_objects(folder, classes)
    if done.changed:
        record_entry_files(paths.project, ledger, _mark(ledger), number)
    places.append(f"{folder} ({done.given:,} cells)")
    if done.left:
        notes.append(
            f"classes given in QuPath stay where they differ from the table, {done.left:,} in all (--replace gives "
            "them the table's)"
        )
    if done.kept is not None:
        notes.append(f"the file as QuPath saved it is kept as {done.kept}")


def _mark(ledger: Ledger) -> str:
    mark = ledger.tasks.get("project", {}).get("fingerprint", "")
    return mark if isinstance(mark, str) else ""


def _in_anndata(paths: WorkspacePaths, ledger: Ledger, classes: Classes, places: list[str]) -> None:
    location = join(paths.reports, report_name(ledger.image, ".h5ad"))
    content = read_if_there(location)
    if content is None:
        return
    is_ours = ledger.made("measurement", location)
    stream = BytesIO(content)
    write_classes(stream, classes.given, {name: written_colour(one) for name, one in classes.colours.items()})
    write_bytes(location, stream.getvalue())
    if is_ours:
        ledger.renew("measurement", location)
    places.append(str(location))


def _in_table(paths: WorkspacePaths, ledger: Ledger, classes: Classes, column: str, places: list[str]) -> None:
    """Write the table of classes: what the viewer shows, and what is known for ours the next time."""
    location = join(paths.reports, classes_name(ledger.image))
    names = list(classes.given.values())
    colours = [written_colour(classes.colours[name]) for name in names]
    table = pa.table({_ID: list(classes.given), _CLASS: names, _COLOUR: colours})
    mark = hashlib.sha256(json.dumps([column, *classes.given.items()]).encode()).hexdigest()
    stream = BytesIO()
    pa_parquet.write_table(table, stream)
    ledger.begin("classes", mark, [location])
    write_bytes(location, stream.getvalue())
    ledger.finish("classes", [location], {"column": column})
    places.append(str(location))
