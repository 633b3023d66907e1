"""Parameters out of range are refused with words that help."""

from dataclasses import replace

import pytest

from cellscale.errors import RequestError
from cellscale.label.parameters import NUCLEUS, WHOLE_CELL, Parameters


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("maxima_threshold", 0),
        ("maxima_threshold", float("nan")),
        ("interior_threshold", float("inf")),
        ("interior_smoothing", -1),
        ("maxima_smoothing", 1000),
        ("radius", 0),
        ("small_objects", -1),
        ("holes", -5),
        ("label_erosion", -1),
        ("label_erosion", 51),
    ],
)
def test_values_out_of_range_are_refused_by_name(name, value):
    values = {"maxima_threshold": 0.1, name: value}
    with pytest.raises(RequestError, match=f"{name.replace('_', ' ')} is {value}"):
        Parameters(**values)


def test_defaults_are_mesmers():
    assert (WHOLE_CELL.maxima_threshold, NUCLEUS.maxima_threshold) == (0.075, 0.1)
    assert Parameters(maxima_threshold=0.1) == NUCLEUS


def test_records_have_values_of_later_versions_only_where_they_do_something():
    assert "label_erosion" not in NUCLEUS.facts()
    assert replace(NUCLEUS, label_erosion=2).facts() == {**NUCLEUS.facts(), "label_erosion": 2}
    assert NUCLEUS.facts()["maxima_smoothing"] == 0
