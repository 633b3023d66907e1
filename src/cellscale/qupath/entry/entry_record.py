"""What cellscale remembers of an image's folder in a project, to know its own work from a person's."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from cellscale.qupath.gson import Json, JsonObject, to_json
from cellscale.storage.atomic import write_bytes
from cellscale.storage.json_text import parsed_json
from cellscale.storage.uri import Location, join, read_if_there

__all__ = ["ENTRY_RECORD", "EntryRecord", "merged"]

ENTRY_RECORD = "cellscale.json"
"""Its name in an image's folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryRecord:
    """The newest that was written and what was there before, which is still there if a run was stopped in between."""

    written: tuple[str, ...] = ()
    """BLAKE2b hashes of data files that hold nothing of a person's."""

    carried: tuple[str, ...] = ()
    """Hashes of data files into which a person's work was taken over; nobody has touched them since."""

    objects: str = ""
    """Hash of cellscale's own objects in the data file, whatever a person did to it; empty where it is not known."""

    which: str = ""
    """Hash of their ids alone."""

    count: int = 0
    """Their number."""

    measurements: tuple[str, ...] = ()
    """Names of their measurements."""

    metadata: tuple[JsonObject, ...] = ()
    """How the project described the image: the metadata of its server."""

    @classmethod
    def read(cls, folder: Location) -> "EntryRecord":
        """Return the record of an image's folder, an empty one where there is none.

        A damaged record is as good as none: what is there counts as a person's then and is kept, which is safe.

        Raises
        ------
        StorageError
            It cannot be known.
        """
        content = read_if_there(join(folder, ENTRY_RECORD))
        try:
            found = parsed_json(content) if content is not None else None
        except ValueError:
            found = None
        facts = found if isinstance(found, Mapping) else {}
        return cls(
            written=tuple(map(str, _items(facts.get("written")))),
            carried=tuple(map(str, _items(facts.get("carried")))),
            objects=str(facts.get("objects", "")),
            which=str(facts.get("which", "")),
            count=count if isinstance(count := facts.get("count"), int) else 0,
            measurements=tuple(map(str, _items(facts.get("measurements")))),
            metadata=tuple(item for item in _items(facts.get("metadata")) if isinstance(item, dict)),
        )

    def before_objects(self) -> "EntryRecord":
        """Return the record for the time until objects have taken their place: which ones are there is not known."""
        return replace(self, objects="", which="", count=0)

    def with_objects(self, objects: str, which: str, count: int) -> "EntryRecord":
        """Return the record of objects that are in place."""
        return replace(self, objects=objects, which=which, count=count)

    def write(self, folder: Location) -> None:
        """Keep the record, before what it tells of takes its name."""
        facts: JsonObject = {
            key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items() if value
        }
        content = to_json(facts, pretty=True).encode()
        if read_if_there(join(folder, ENTRY_RECORD)) != content:
            write_bytes(join(folder, ENTRY_RECORD), content)


def merged(theirs: Json, ours: Json, written: Sequence[Json]) -> Json:
    """Return a part of a document brought up to date, down to its smallest parts.

    Parameters
    ----------
    theirs
        What is there now.
    ours
        What it would be if it were written anew.
    written
        What cellscale wrote there before. What is still so is replaced; anything else a person changed, and it stays.
    """
    if theirs in written:
        return ours
    if isinstance(theirs, dict) and isinstance(ours, dict):
        before = [item for item in written if isinstance(item, dict)]
        return ours | {
            key: merged(value, ours[key], [item[key] for item in before if key in item]) if key in ours else value
            for key, value in theirs.items()
        }
    if isinstance(theirs, list) and isinstance(ours, list):
        if len(theirs) != len(ours):
            return ours
        lists = [item for item in written if isinstance(item, list) and len(item) == len(ours)]
        return [
            merged(*pair, [item[place] for item in lists])
            for place, pair in enumerate(zip(theirs, ours, strict=True))
        ]
    return theirs


def _items(value: object) -> list[Json]:
    return value if isinstance(value, list) else []
