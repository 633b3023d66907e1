"""Dataclasses as JSON: as the library that reads them writes them, which who only writes does not load."""

import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from cellscale.pipeline.outcome import ImageOutcome
from cellscale.pipeline.request import from_json, to_json
from cellscale.records.stage_cost import StageRecord


@dataclass(frozen=True)
class Part:
    place: Path | str
    sizes: tuple[int, ...] = ()
    facts: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Whole:
    name: str
    parts: tuple[Part, ...]
    one: Part = field(default_factory=lambda: Part("s3://a//b"))
    nothing: int | None = None


WHOLE = Whole("x", (Part(Path("/a/b"), (1, 2), {"x": 0.1}), Part("gs://a//b")))
STAGE = StageRecord("masks", 0.1, 1, 2, 0.2)
OUTCOME = ImageOutcome(
    image="i", status="done", cells=3, outputs=("o",), stages=(StageRecord("masks", 0.1, 1, 2, 0.2),)
)


@pytest.mark.parametrize("value", [WHOLE, OUTCOME])
def test_the_json_is_that_of_the_library_that_reads_it(value):
    assert to_json(value) == TypeAdapter(type(value)).dump_python(value, mode="json")
    for omitted in (False, True):
        assert from_json(type(value), to_json(value, omit_defaults=omitted), what="it") == value


def test_defaults_are_left_out_where_asked_in_parts_too():
    assert to_json(WHOLE, omit_defaults=True) == {
        "name": "x",
        "parts": [{"place": str(Path("/a/b")), "sizes": [1, 2], "facts": {"x": 0.1}}, {"place": "gs://a//b"}],
    }


@pytest.mark.parametrize("value", [object(), {1, 2}, b"x", Whole])
def test_what_json_has_not_is_refused(value):
    with pytest.raises(TypeError, match="nothing that JSON has"):
        to_json(value)


def test_writing_loads_no_library():
    program = (
        "import sys\nfrom cellscale.pipeline.request import Request\nfrom cellscale.pipeline.resume import asked\n"
        "from cellscale.workspace.layout import workspace_paths\n"
        "asked(Request(paths=workspace_paths('/d')))\nprint('pydantic' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
