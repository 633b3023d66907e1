"""The file of an image's record, with a checksum; of a damaged one, what it still tells is ours."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, TypeAlias, get_args

from cellscale.storage.atomic import write_text
from cellscale.storage.uri import Location, read_if_there

__all__ = ["RecordFile", "Task", "is_entry", "read_record", "write_record"]

Task: TypeAlias = Literal[
    "segmentation", "intermediates", "relabelling", "measurement", "project", "look", "pictures", "classes"
]

_CHECKSUM = "checksum"
_KNOWN = frozenset({"inputs", *get_args(Task)})
_TASK = re.compile(r'^ "(\w+)": \{')
_OUTPUT = re.compile(r'^   "((?:[^"\\]|\\.)+)": \{')
_FACT = re.compile(r'^    "(size|stamp|hash)": ("(?:[^"\\]|\\.)*"|\d+),?$')


@dataclass(frozen=True, slots=True)
class RecordFile:
    """What a file of a record says."""

    facts: Mapping[str, Any]
    """By task, and what input files held."""

    is_damaged: bool = False
    """Whether its bytes are not those that were written: nothing but hashes of outputs is taken from it then."""


def read_record(location: Location) -> RecordFile:
    """Read a record.

    Of a damaged one only what outputs held is taken: a file of which the hash is there is ours, since no damage makes
    up a hash that fits. From what it was made is not believed, so that it is made again.

    Raises
    ------
    StorageError
        It is there and cannot be read. (The next run would replace it, and all outputs would be another program's.)
    """
    content = read_if_there(location)
    return RecordFile({}) if content is None else _record_in(content)


def _record_in(content: bytes) -> RecordFile:
    """Return what a file of a record says, by its bytes."""
    if _is_whole(content):
        facts = json.loads(content)
        facts.pop(_CHECKSUM, None)
        return RecordFile(facts)
    return RecordFile(_outputs_in(content.decode("utf-8", "replace")), is_damaged=True)


@lru_cache(maxsize=64)  # each step of an image's work reads its record, and summing takes longer than all the rest
def _is_whole(content: bytes) -> bool:
    """Tell whether the bytes of a record are those that were written."""
    try:
        facts = json.loads(content)
    except (ValueError, RecursionError):
        return False
    if not isinstance(facts, dict):
        return False
    checksum = facts.pop(_CHECKSUM, None)
    was_without = checksum is None and facts.keys() <= _KNOWN  # there was not always one
    return was_without or bool(checksum == _sum_of(facts))


def write_record(location: Location, facts: Mapping[str, Any]) -> None:
    """Write a record.

    Raises
    ------
    StorageError
        It cannot be written.
    """
    write_text(location, json.dumps({_CHECKSUM: _sum_of(facts), **facts}, indent=1, ensure_ascii=False) + "\n")


def is_entry(entry: object) -> bool:
    """Tell whether something on record can be an entry of ours."""
    return (
        isinstance(entry, dict)
        and isinstance(entry.get("outputs"), dict)
        and isinstance(entry.get("complete", True), bool)
        and isinstance(entry.get("unfinished", []), list)
        and isinstance(entry.get("fingerprint", ""), (str, dict))
    )


def _sum_of(facts: Mapping[str, Any]) -> str:
    return f"sha256:{hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()}"


def _outputs_in(text: str) -> dict[str, Any]:
    """Return, line by line, the outputs of each task that are whole in the text of a damaged record."""
    tasks: dict[str, Any] = {}
    task = output = ""
    found: dict[str, Any] = {}
    for line in text.splitlines():
        if (begins := _TASK.match(line)) is not None:
            task, output = begins[1], ""
        elif (begins := _OUTPUT.match(line)) is not None:
            output, found = _text(f'"{begins[1]}"'), {"made_from": ""}
        elif output and (fact := _FACT.match(line)) is not None:
            found[fact[1]] = int(fact[2]) if fact[1] == "size" and fact[2].isdecimal() else _text(fact[2])
            if len(found) == 4:
                entry = tasks.setdefault(task, {"complete": False, "fingerprint": "", "outputs": {}})
                entry["outputs"][output] = found
                output = ""
    return tasks


def _text(quoted: str) -> str:
    try:
        return str(json.loads(quoted))
    except ValueError:
        return ""
