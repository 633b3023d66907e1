"""Names and order of measurements."""

import numpy as np
import pytest

from cellscale.cells.text.columns import Dialect, cell_columns, detection_columns
from tests.cells.scenes import measured


def test_dialects_differ_in_names_and_order_but_not_in_what_they_mean():
    old, new = (cell_columns(["A", "B"], "µm", dialect) for dialect in (Dialect.V0_5, Dialect.V0_7))
    assert old.names[6:8] == ("A: Cytoplasm: Mean", "A: Cytoplasm: Median")
    assert new.names[6:8] == ("Nucleus: B: Mean", "Nucleus: B: Median")
    where = dict(zip(new.names, new.sources, strict=True))
    for name, source in zip(old.names[:48], old.sources[:48], strict=True):
        channel, compartment, statistic = name.split(": ")
        assert where[f"{compartment}: {channel}: {statistic}"] == source
    assert old.names[48:] == new.names[48:]
    assert old.names[-1] == "Nucleus/Cell area ratio"


@pytest.mark.parametrize("dialect", Dialect)
def test_of_two_channels_with_one_name_the_later_counts_in_the_place_of_the_earlier(dialect):
    columns = cell_columns(["A", "B", " A"], "px", dialect)
    assert len(columns.names) == len(set(columns.names)) == 2 * 24 + 13
    plain = cell_columns(["A", "B", "C"], "px", dialect)
    assert columns.names[0] == plain.names[0]
    assert columns.sources[0] == plain.sources[plain.names.index(plain.names[0].replace("A", "C"))]


def test_channel_names_are_trimmed_for_cells_but_not_for_detections():
    assert cell_columns(["  µ/x "], "px", Dialect.V0_7).names[0] == "Nucleus: µ/x: Mean"
    assert detection_columns(["  µ/x "], "px").names[0] == "  µ/x : Mean"


def test_a_measurement_that_the_first_object_lacks_comes_after_its_own():
    cells = np.array([[1, 0, 2, 2], [0, 1, 2, 2]])
    with measured(cells, np.where(cells == 2, 1, 0)) as measurement:
        names = measurement.columns_by_appearance(Dialect.V0_7).names
    assert [name.partition(" ")[2] for name in names[:4]] == ["Area px^2", "Length px", "Solidity", "Max diameter px"]
    assert names[5:] == (
        "Nucleus: Area px^2",
        "Nucleus: Length px",
        "Nucleus: Circularity",
        "Nucleus: Solidity",
        "Nucleus: Max diameter px",
        "Nucleus: Min diameter px",
        "Cell: Circularity",
        "Nucleus/Cell area ratio",
    )


def test_a_measurement_that_no_object_has_is_no_column():
    with measured(np.eye(3, dtype=int), np.zeros((3, 3), dtype=int)) as measurement:
        names = measurement.columns_by_appearance(Dialect.V0_5).names
        assert "Cell: Circularity" not in names
        assert "Cell: Circularity" in measurement.columns(Dialect.V0_5).names
        assert not any(name.startswith("Nucleus") for name in names)
