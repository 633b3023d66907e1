"""File formats of the table of cells: cellscale's own, and those of other packages."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

from cellscale.errors import RequestError
from cellscale.extensions import Extension, extensions

if TYPE_CHECKING:  # the command line asks for names alone
    from cellscale.cells.measurement import Measurement
    from cellscale.cells.object_batches import CellBatch
    from cellscale.cells.text.dialects import Dialect

__all__ = ["ANNDATA", "GEOJSON", "PARQUET", "TSV", "Exporter", "Writer", "exporter_names", "find_exporter"]

_ALWAYS = ("geojson", "parquet", "tsv")
"""Exporters whose files are made in any case."""


class Writer(Protocol):
    """Writes a file batch after batch; batches are encoded side by side."""

    def encode(self, batch: "CellBatch") -> Any:
        """Return a batch as it will be written; from any thread, in any order."""

    def put(self, rows: Any, /) -> None:
        """Write what was encoded; in order."""


class Exporter(Protocol):
    """A file format of the table of cells.

    An entry point of the group ``cellscale.exporters`` names it; the entry point's name is what ``--export`` takes.
    """

    @property
    def suffix(self) -> str:
        """Ending of the file, as in ``.csv``: it is called ``<image>_QUANT.csv``."""

    def require(self) -> None:
        """Check that all that is needed is installed; called before anything is computed.

        Raises
        ------
        RequestError
            Something is missing; the message says how to install it.
        """

    def open(
        self, stream: BinaryIO, measurement: "Measurement", *, image_name: str, dialect: "Dialect"
    ) -> AbstractContextManager[Writer]:
        """Begin a file, and finish it on leaving.

        Parameters
        ----------
        stream
            Where the file goes; it can be sought and read, and is not closed. The file appears when all are whole.
        measurement
            What will be written: ``measurement.columns(dialect)`` names the measurements, ``len(measurement)`` is the
            number of objects.
        image_name
            The image's file name.
        dialect
            QuPath version whose names of measurements are asked for.
        """


def exporter_names() -> tuple[str, ...]:
    """Return the names of the exporters that are asked for by name, without what is made in any case."""
    return tuple(sorted(set(extensions("exporters")) - set(_ALWAYS)))


def find_exporter(name: str) -> Exporter:
    """Return an exporter.

    Raises
    ------
    RequestError
        There is none of that name, or its package is broken.
    """
    installed = extensions("exporters")
    if name not in installed:
        raise RequestError(f"there is no export {name!r}; found {', '.join(exporter_names())}. Check --export.")
    found = installed[name]
    exporter: Exporter = found.load()
    return exporter if found.is_own else _Watched(exporter, found)


class _Watched:
    """Another package's exporter, whose mistakes are told to be its own."""

    def __init__(self, exporter: Exporter, found: Extension) -> None:
        self._exporter = exporter
        self._found = found
        suffix = getattr(exporter, "suffix", None)
        if not isinstance(suffix, str) or not suffix.startswith(".") or set(suffix) & set('/\\:*?"<>|'):
            raise RequestError(f"{found} has the suffix {suffix!r}; one like '.csv' expected: tell its authors")
        self.suffix = suffix

    def require(self) -> None:
        """Check that all that is needed is installed."""
        with self._found.blamed():
            self._exporter.require()

    def open(
        self, stream: BinaryIO, measurement: "Measurement", *, image_name: str, dialect: "Dialect"
    ) -> AbstractContextManager[Writer]:
        """Begin a file, and finish it on leaving."""
        with self._found.blamed():
            opened = self._exporter.open(stream, measurement, image_name=image_name, dialect=dialect)
        return _WatchedWriter(opened, self._found)


class _WatchedWriter:
    """What another package's exporter opened."""

    def __init__(self, opened: AbstractContextManager[Writer], found: Extension) -> None:
        self._opened = opened
        self._found = found

    def __enter__(self) -> Writer:
        with self._found.blamed():
            self._writer = self._opened.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with self._found.blamed():
            self._opened.__exit__(kind, error, traceback)

    def encode(self, batch: "CellBatch") -> Any:
        """Return a batch as it will be written."""
        with self._found.blamed():
            return self._writer.encode(batch)

    def put(self, rows: Any, /) -> None:
        """Write what was encoded."""
        with self._found.blamed():
            self._writer.put(rows)


@dataclass(frozen=True, slots=True)
class _Own:
    """An exporter of ours, whose libraries load when it is used."""

    suffix: str
    begin: Callable[[BinaryIO, "Measurement", str, "Dialect"], AbstractContextManager[Writer]]
    require: Callable[[], None] = lambda: None

    def open(
        self, stream: BinaryIO, measurement: "Measurement", *, image_name: str, dialect: "Dialect"
    ) -> AbstractContextManager[Writer]:
        """Begin a file, and finish it on leaving."""
        return self.begin(stream, measurement, image_name, dialect)


def _tsv(
    stream: BinaryIO, measurement: "Measurement", image_name: str, dialect: "Dialect"
) -> AbstractContextManager[Writer]:
    from cellscale.cells.tables import TsvWriter

    return nullcontext(TsvWriter(stream, measurement, image_name=image_name, dialect=dialect))


def _parquet(
    stream: BinaryIO, measurement: "Measurement", image_name: str, dialect: "Dialect"
) -> AbstractContextManager[Writer]:
    from cellscale.cells.tables import ParquetWriter

    return ParquetWriter(stream, measurement, image_name=image_name, dialect=dialect)


def _geojson(
    stream: BinaryIO, measurement: "Measurement", image_name: str, dialect: "Dialect"
) -> AbstractContextManager[Writer]:
    from cellscale.cells.tables import GeoJsonWriter

    return GeoJsonWriter(stream, measurement, dialect=dialect)


def _anndata(
    stream: BinaryIO, measurement: "Measurement", image_name: str, dialect: "Dialect"
) -> AbstractContextManager[Writer]:
    from cellscale.cells.tables import AnnDataWriter

    return AnnDataWriter(stream, measurement)


def _require_anndata() -> None:
    from cellscale.cells.tables import require_anndata

    require_anndata()


TSV: Exporter = _Own(".tsv", _tsv)
PARQUET: Exporter = _Own(".parquet", _parquet)
GEOJSON: Exporter = _Own(".geojson.gz", _geojson)
ANNDATA: Exporter = _Own(".h5ad", _anndata, _require_anndata)
