"""The data file is QuPath's, field by field."""

from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest

from cellscale.cells.text.columns import Dialect
from cellscale.qupath.data_file import DataFile, write_data_file
from tests.qupath.data_reader import read_data_file
from tests.qupath.golden import CASES, VERSIONS, batch_of, columns_of, golden_data

DIALECTS = {"0.5.1": Dialect.V0_5, "0.7.0": Dialect.V0_7}


def write(facts: DataFile, batches) -> bytes:
    file = BytesIO()
    write_data_file(file, facts, batches)
    return file.getvalue()


def facts_of(golden, version: str = "0.7.0") -> DataFile:
    return DataFile(
        header="{}",
        root_id=golden.root_id,
        entry=golden.properties["PROJECT_ENTRY_ID"],
        columns=columns_of(golden.objects),
        dialect=DIALECTS[version],
        count=len(golden.objects),
    )


def batches_of(golden, size: int):
    columns = columns_of(golden.objects)
    for start in range(0, len(golden.objects), size):
        yield batch_of(golden.objects[start : start + size], columns, start)


def assert_same_objects(ours, theirs):
    assert [item.object_id for item in ours] == [item.object_id for item in theirs]
    for mine, other in zip(ours, theirs, strict=True):
        assert list(mine.measurements) == list(other.measurements)
        np.testing.assert_array_equal(list(mine.measurements.values()), list(other.measurements.values()))
        assert replace(without_unknown(mine, other), measurements={}) == replace(other, measurements={})


def without_unknown(mine, other):
    """Drop the statistics that QuPath did not compute: those of nuclei in anisotropic pixels."""
    if other.nucleus is not None and other.nucleus.stats is None:
        return replace(mine, nucleus=replace(mine.nucleus, stats=None))
    return mine


@pytest.mark.slow
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("case", CASES)
def test_everything_equals_what_qupath_wrote(shared, case, version):
    golden = golden_data(shared, case, version)
    ours = read_data_file(write(facts_of(golden, version), batches_of(golden, 500)))
    assert_same_objects(ours.objects, golden.objects)
    # The program we follow sets the image type once more when it runs on 0.7.
    assert ours.workflow == golden.workflow[:1]
    assert replace(ours, header={}, objects=[], workflow=[]) == replace(golden, header={}, objects=[], workflow=[])


@pytest.mark.slow
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("case", "sizes"), [("tiny", (1, 2, 5)), ("tiny_wholecell", (1, 3)), ("BreastMIBI", (100,))])
def test_bytes_do_not_depend_on_batches(shared, version, case, sizes):
    golden = golden_data(shared, case, version)
    whole = write(facts_of(golden, version), batches_of(golden, len(golden.objects)))
    for size in sizes:
        assert write(facts_of(golden, version), batches_of(golden, size)) == whole


def test_a_wrong_number_of_objects_is_refused(shared):
    golden = golden_data(shared, "tiny", "0.7.0")
    with pytest.raises(ValueError, match="13 objects were announced, but 12 came"):
        write(replace(facts_of(golden), count=13), batches_of(golden, 5))


def test_a_header_beyond_65535_bytes_is_kept(shared):
    golden = golden_data(shared, "nonuc", "0.7.0")
    header = '{"name":"' + "µ\U0001f9eb" * 9000 + '"}'
    ours = read_data_file(write(replace(facts_of(golden), header=header), []))
    assert ours.header == {"name": "µ\U0001f9eb" * 9000}
