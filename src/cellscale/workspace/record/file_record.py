"""The record of one file: what it held, and what it was made from."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cellscale.storage.content import Content, beginning_of
from cellscale.storage.uri import Location, find

__all__ = ["OutputRecord", "input_from_json", "input_to_json", "is_blank", "output_from_json", "output_to_json"]

_OF_NOTHING = hashlib.sha256().hexdigest()
"""Ends the hash of an empty file, and of a folder without files."""
_BEGINNING = 512
"""Bytes of which some are not zero in every output of ours."""


@dataclass(frozen=True, slots=True)
class OutputRecord:
    """What is on record of an output."""

    content: Content
    """As it was made, or seen with the same bytes since. Records of version 0.2 have no hash."""

    made_from: str
    """Fingerprint of the inputs by content, and of the options."""

    def explains(self, now: Content) -> bool:
        """Tell whether what lies there now is what was made."""
        if self.content.hash:
            return now.hash == self.content.hash
        size = self.content.size if now.size else 0  # a folder's own size says nothing of what it holds
        return (size, self.content.stamp) == (now.size, now.stamp.partition(" ")[0])


def is_blank(output: Location, now: Content, record: OutputRecord) -> bool:
    """Tell whether an output was emptied, or never reached the disk, which leaves nothing but zeros.

    Raises
    ------
    StorageError
        It cannot be read.
    """
    if record.explains(now):
        return False
    if now.hash.endswith(_OF_NOTHING):
        return True
    found = find(output)
    if found is None or found.is_folder:
        return False
    return now.size == 0 or not any(beginning_of(output, _BEGINNING))


def output_to_json(record: OutputRecord) -> dict[str, Any]:
    """Return a record as a JSON object."""
    content = record.content
    return {"size": content.size, "stamp": content.stamp, "hash": content.hash, "made_from": record.made_from}


def output_from_json(facts: Any, fingerprint: str) -> OutputRecord:
    """Return a record from what `output_to_json` gave, or version 0.2 wrote; one that is damaged explains nothing.

    Parameters
    ----------
    facts
        What was read.
    fingerprint
        Of the task, which version 0.2 knew for all its outputs together.
    """
    if isinstance(facts, str):
        size, _, marker = facts.partition(" ")
        return OutputRecord(Content(int(size) if size.isdecimal() else -1, marker, ""), fingerprint)
    content = _content(facts)
    if content is None or not isinstance(facts.get("made_from"), str):
        return OutputRecord(Content(-1, "", "?"), "")
    return OutputRecord(content, facts["made_from"])


def input_to_json(inputs: Mapping[str, Content]) -> dict[str, Any]:
    """Return what input files held, by their part, as a JSON object."""
    return {
        name: {"size": content.size, "stamp": content.stamp, "hash": content.hash} for name, content in inputs.items()
    }


def input_from_json(facts: Any) -> dict[str, Content]:
    """Return what `input_to_json` gave; what is damaged is left out, and read anew."""
    if not isinstance(facts, dict):
        return {}
    found = {name: _content(one) for name, one in facts.items()}
    return {name: content for name, content in found.items() if content is not None}


def _content(facts: Any) -> Content | None:
    if not isinstance(facts, dict):
        return None
    size, stamp, digest = facts.get("size"), facts.get("stamp"), facts.get("hash")
    if isinstance(size, int) and isinstance(stamp, str) and isinstance(digest, str) and digest:
        return Content(size, stamp, digest)
    return None
