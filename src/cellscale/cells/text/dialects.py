"""What differs between versions of QuPath, in one table: a new version is a row."""

from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType

__all__ = ["Conventions", "Dialect"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Conventions:
    """How a version of QuPath names, measures and writes."""

    writer: str
    """The version that files name as the program that wrote them."""
    channel_first: bool
    """Measurements are named and ordered by channel, then compartment; else the other way round."""
    undefined: str
    """What a table has where a value is not defined."""
    short_empty_tables: bool
    """A table without objects has the columns of QuPath 0.5."""
    exact_centroids: bool
    """Centroids of rectangles and simple polygons are exact; else all are on a grid of 0.01 pixels."""
    shapes_by_kind: bool
    """Rectangles and polygons are told from other outlines."""
    script_ends: str
    """What ends a line of a workflow's script."""
    server_with_metadata: bool
    """``server.json`` has the builder and the metadata side by side."""
    tags: bool
    """Entries of a project have tags, and its data metadata of their own."""
    nucleus_margin: int | None
    """Pixels around a cell's bounding box up to which its nucleus is measured; None for all of the nucleus.

    QuPath 0.8, which is not out, measures all of it.
    """


class Dialect(Enum):
    """The QuPath version whose names, order and table conventions are followed; the value is the version."""

    V0_5 = "0.5"
    """0.5: channel first; an undefined value is an empty cell of the table."""

    V0_7 = "0.7"
    """0.6 and later: compartment first; an undefined value is written as NaN."""

    @property
    def conventions(self) -> Conventions:
        """What the version does."""
        return _TABLE[self]


_TABLE = MappingProxyType(
    {
        Dialect.V0_5: Conventions(
            writer="0.5.1",
            channel_first=True,
            undefined="",
            short_empty_tables=True,
            exact_centroids=False,
            shapes_by_kind=False,
            script_ends=";",
            server_with_metadata=True,
            tags=False,
            nucleus_margin=2,
        ),
        Dialect.V0_7: Conventions(
            writer="0.7.0",
            channel_first=False,
            undefined="NaN",
            short_empty_tables=False,
            exact_centroids=True,
            shapes_by_kind=True,
            script_ends="",
            server_with_metadata=False,
            tags=True,
            nucleus_margin=2,
        ),
    }
)
