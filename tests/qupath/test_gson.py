"""JSON is laid out, escaped and rounded as Gson does it."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellscale.qupath.gson import java_double, to_json
from tests.qupath.golden import CASES, VERSIONS, golden_project

LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("case", CASES)
def test_golden_files_are_reproduced_byte_for_byte(shared, case, version):
    folder = golden_project(shared, case, version)
    for path in (folder / "project.qpproj", *(folder / "data" / "1").glob("*.json")):
        text = path.read_text("utf-8")
        assert to_json(json.loads(text), pretty=text.startswith("{\n")) == text


@pytest.mark.slow
@given(VALUES, st.booleans())
def test_values_survive(value, pretty):
    assert json.loads(to_json(value, pretty=pretty).encode("utf-8")) == value


def test_escapes():
    text = to_json("<a href='x'>=&\u2028\u2029µ\U0001f9eb\"\\/\b\x1f\x7f\udc80", pretty=False)
    assert text == (
        r'"\u003ca href\u003d\u0027x\u0027\u003e\u003d\u0026\u2028\u2029'
        "µ\U0001f9eb" + r"\"\\/\b\u001f" + "\x7f" + r'\udc80"'
    )


def test_empty_containers_stay_closed():
    assert to_json({"a": [], "b": {}}, pretty=True) == '{\n  "a": [],\n  "b": {}\n}'


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.5, "0.5"),
        (1.0, "1.0"),
        (-0.0, "-0.0"),
        (0.377, "0.377"),
        (0.001, "0.001"),
        (0.00099, "9.9E-4"),
        (1e-5, "1.0E-5"),
        (9999999.0, "9999999.0"),
        (1e7, "1.0E7"),
        (-123456789.25, "-1.2345678925E8"),
        (5e-324, "5.0E-324"),
        (1.7976931348623157e308, "1.7976931348623157E308"),
        (math.nan, "NaN"),
        (-math.inf, "-Infinity"),
    ],
)
def test_numbers_are_javas(value, text):
    assert java_double(value) == text


@given(st.floats(allow_nan=False))
def test_numbers_survive(value):
    assert float(java_double(value)) == value
