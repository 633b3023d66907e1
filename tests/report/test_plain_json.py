"""JSON is written as pydantic writes it, and what was just written is what is read."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from cellscale.report import findings, image_record
from cellscale.report.findings import look_from_json, look_to_json
from cellscale.report.image_record import ImageRecord, RegionRecord, record_to_json
from cellscale.report.plain_json import plain_json
from tests.report.looks import HOSTILE, look


@dataclass(frozen=True)
class Part:
    """Some of what facts are made of."""

    words: tuple[str, ...]
    numbers: tuple[float, ...]
    counts: dict[str, int | None]


PARTS = st.builds(
    Part,
    st.lists(st.text(), max_size=3).map(tuple),
    st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=3).map(tuple),
    st.dictionaries(st.text(), st.integers(-(2**60), 2**60) | st.none(), max_size=3),
)


@given(part=PARTS, indent=st.sampled_from([None, 1]))
def test_it_is_that_of_pydantic_or_left_to_it(part, indent):
    text = plain_json(part, indent=indent)
    if text is None:
        assert any("e" in repr(number) for number in part.numbers)
    else:
        assert text == TypeAdapter(Part).dump_json(part, indent=indent)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), 1e-5, 1e300, np.int64(3), 3])
def test_numbers_that_look_otherwise_are_left_to_it(number):
    assert plain_json(Part((), (number,), {})) is None
    assert plain_json(Part(("1e5 NaN \\",), (0.5,), {})) is not None


@pytest.mark.parametrize("pixel_size", [None, (0.5, 0.5), (1e-7, 0.5)])
def test_a_look_is_kept_and_read_as_before(monkeypatch, pixel_size):
    seen = look(channels=HOSTILE, pixel_size=pixel_size)
    text = look_to_json(seen)
    assert text == findings._adapter().dump_json(seen)
    at_once = look_from_json(text)
    monkeypatch.setattr(findings, "_written", [])
    assert at_once == look_from_json(text) == seen
    assert look_from_json(text[:-1]) is None


def test_a_look_that_cannot_be_read_again_is_not_remembered():
    seen = look()
    broken = replace(seen, sampled=float("nan"))
    assert look_from_json(look_to_json(broken)) is None


def test_a_record_is_kept_as_before():
    plain = ImageRecord(image=HOSTILE[0], status="done", parameters={"nuclear": {"threshold": 1, "smoothing": 0.5}})
    assert plain_json(plain, indent=1) is not None
    for record in (
        plain,
        replace(plain, seconds=1e-9),
        replace(plain, seconds=2),
        replace(plain, regions=(RegionRecord(name="a", pixels=5, cells=3),)),
    ):
        assert record_to_json(record) == image_record._adapter().dump_json(record, indent=1)
