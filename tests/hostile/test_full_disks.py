"""A disk that is full after any number of bytes: nothing is half-written, and with room a run ends with the same."""

import pytest

from tests.cli.runs import contents, run
from tests.cli.test_bad_storage import filled
from tests.pipeline.spots import spots, write_dataset

pytestmark = pytest.mark.hostile

PLANES = {"alpha": spots((60, 80)), "beta": spots((60, 80))}
ROOMS = range(0, 1200, 12)
"""Kilobytes that are left."""


def results(dataset):
    return contents(dataset / "SEGMASK", dataset / "REPORTS")


@pytest.fixture(scope="module")
def reference(tmp_path_factory, tiny_model):
    """What a run with room enough leaves."""
    dataset = write_dataset(tmp_path_factory.mktemp("reference"), **PLANES)
    assert run(*words(tiny_model), dataset).exit_code == 0
    return results(dataset)


def words(model):
    return "segment-and-measure", "--model_path", model, "workspace"


@pytest.mark.parametrize("room", ROOMS)
def test_nothing_is_half_written(small_disk, tiny_model, reference, room):
    disk = small_disk("20m")
    dataset = write_dataset(disk / "dataset", **PLANES)
    with filled(disk, room):
        done = run(*words(tiny_model), dataset)
        assert done.exit_code in (0, 1)
        if done.exit_code:
            assert "the disk is full: free some space" in done.stderr
        assert results(dataset).items() <= reference.items()
    assert run(*words(tiny_model), dataset).exit_code == 0
    assert results(dataset) == reference
