from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellscale.records.benchmark_table.row import record_id, validated
from cellscale.records.benchmark_table.schema import COLUMNS


def test_a_row_has_all_columns_in_order():
    row = validated({"input_file_id": "a"})
    assert list(row) == [column.name for column in COLUMNS]
    assert row["input_file_id"] == "a"
    assert row["cells"] is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("input_file_id", 1),
        ("input_file_id", "x" * 2000),
        ("cells", 1.0),
        ("cells", True),
        ("cells", 2**63),
        ("total_time_s", float("nan")),
        ("total_time_s", float("inf")),
        ("total_time_s", "1"),
        ("success", 1),
        ("benchmark_datetime_utc", "2026-01-01T00:00:00"),
        ("benchmark_datetime_utc", datetime(2026, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_value_of_another_type_is_refused(name, value):
    with pytest.raises(ValueError, match=f"column {name} of the benchmark table"):
        validated({name: value})


def test_an_unknown_column_is_refused():
    with pytest.raises(ValueError, match="no columns colour"):
        validated({"colour": "red"})


@given(st.lists(st.text(), min_size=3, max_size=3), st.lists(st.text(), min_size=3, max_size=3))
def test_records_of_other_images_runs_or_times_have_other_names(one, other):
    # Names never hold line ends, which part the three here.
    one, other = ([part.replace("\n", "") for part in parts] for parts in (one, other))
    assert (record_id(*one) == record_id(*other)) == (one == other)
