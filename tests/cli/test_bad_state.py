"""Whatever a broken machine leaves in ``jobs`` costs work at most, and never changes a result."""

import pytest

from cellscale.pipeline.resume.state import RunState
from cellscale.pipeline.segmenting import write_masks
from tests.cli.runs import contents, run
from tests.pipeline.spots import spots, write_dataset

PLANES = {"alpha": spots((300, 280)), "beta": spots((60, 80))}


class Killed(BaseException):
    """Ends a run as a power cut would."""


def segment_and_measure(model, dataset, *options):
    return run("segment-and-measure", "--no_report", "--model_path", model, *options, "workspace", dataset)


def results(dataset):
    return contents(dataset / "SEGMASK", dataset / "REPORTS")


@pytest.fixture(scope="module")
def reference(tmp_path_factory, tiny_model):
    dataset = write_dataset(tmp_path_factory.mktemp("reference"), **PLANES)
    assert segment_and_measure(tiny_model, dataset).exit_code == 0
    return results(dataset)


@pytest.fixture
def interrupted(tmp_path, tiny_model, monkeypatch):
    """A dataset whose first image was interrupted with all its blocks labelled, or with all its tiles predicted."""

    def make(before):
        dataset = write_dataset(tmp_path, **PLANES)

        def kill(*_args, **_settings):
            raise Killed

        with monkeypatch.context() as patch:
            patch.setattr(*before, kill)
            with pytest.raises(Killed):
                segment_and_measure(tiny_model, dataset)
        return dataset

    return make


LABELLED = (write_masks, "write_mask")
PREDICTED = (RunState, "save_plane")


DAMAGES = {
    "empty": lambda content: b"",
    "cut": lambda content: content[: len(content) // 2],
    "without its end": lambda content: content[:-2],
    "garbage": lambda content: b"\0garbage" * 100,
    "zeros": lambda content: bytes(len(content)),
}


@pytest.mark.slow
@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize(
    ("before", "pattern"),
    [(PREDICTED, "tiles/*.npz"), (LABELLED, "whole-cell/*.npz"), (LABELLED, "nuclear/*.npy")],
)
def test_damaged_state_is_done_again(interrupted, tiny_model, reference, before, pattern, damage):
    dataset = interrupted(before)
    (unit,) = dataset.glob(f"jobs/alpha.*/{pattern}")
    unit.write_bytes(DAMAGES[damage](unit.read_bytes()))
    done = segment_and_measure(tiny_model, dataset)
    assert done.exit_code == 0
    assert "was damaged or removed; it is done again" in done.stderr
    assert results(dataset) == reference
    assert not list(dataset.glob("jobs/alpha.*"))


@pytest.mark.slow
@pytest.mark.parametrize("pattern", ["nuclear/0.npy", "facts.json"])
def test_state_with_other_numbers_than_were_kept_is_done_again(interrupted, tiny_model, reference, pattern):
    dataset = interrupted(LABELLED)
    (kept,) = dataset.glob(f"jobs/alpha.*/{pattern}")
    content = kept.read_bytes()
    if pattern == "facts.json":
        place = content.index(b'"equalised_maximum": ') + 21
        kept.write_bytes(content[:place] + b"7" + content[place:])
    else:
        kept.write_bytes(content[: len(content) // 2] + bytes(len(content) - len(content) // 2))
    done = segment_and_measure(tiny_model, dataset)
    assert done.exit_code == 0
    assert done.stderr.count("was damaged or removed; it is done again") == 1
    assert results(dataset) == reference


@pytest.mark.slow
@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_facts_are_found_again(interrupted, tiny_model, reference, damage):
    dataset = interrupted(LABELLED)
    (facts,) = dataset.glob("jobs/alpha.*/facts.json")
    facts.write_bytes(DAMAGES[damage](facts.read_bytes()))
    assert segment_and_measure(tiny_model, dataset).exit_code == 0
    assert results(dataset) == reference


GARBAGE = {
    "empty": b"",
    "no JSON": b"\xff\xfe garbage",
    "a list": b"[1, 2]",
    "a number": b"7",
    "null": b"null",
    "other types": b'{"segmentation": [], "measurement": "x"}',
    "nothing inside": b'{"segmentation": {}, "measurement": {}}',
    "complete": b'{"segmentation": {"complete": true}, "measurement": {"complete": true}}',
    "incomplete": b'{"segmentation": {"complete": false}, "measurement": {"complete": false}}',
    "wrong outputs": b'{"segmentation": {"complete": false, "outputs": 3}, "measurement": {"outputs": null}}',
    "nested": b"[" * 100_000,
}


@pytest.mark.slow
@pytest.mark.parametrize("record", GARBAGE)
def test_a_record_that_is_garbage_is_no_record(tmp_path, tiny_model, reference, record):
    dataset = write_dataset(tmp_path, **PLANES)
    (dataset / "jobs" / "records").mkdir(parents=True)
    (dataset / "jobs" / "records" / "alpha.json").write_bytes(GARBAGE[record])
    done = segment_and_measure(tiny_model, dataset)
    assert done.exit_code == 0, done.stderr
    assert set(done.statuses.values()) == {"done"}
    assert results(dataset) == reference


@pytest.mark.slow
@pytest.mark.parametrize("record", ["no JSON", "wrong outputs"])
def test_outputs_that_no_record_knows_are_kept_until_overwrite_is_given(tmp_path, tiny_model, reference, record):
    dataset = write_dataset(tmp_path, **PLANES)
    segment_and_measure(tiny_model, dataset)
    (dataset / "jobs" / "records" / "alpha.json").write_bytes(GARBAGE[record])
    done = segment_and_measure(tiny_model, dataset)
    assert done.exit_code == 0, done.stderr
    assert set(done.statuses.values()) == {"kept"}
    assert "--overwrite=foreign replaces them" in done.stderr
    done = segment_and_measure(tiny_model, dataset, "--overwrite=foreign")
    assert set(done.statuses.values()) == {"done"}
    assert results(dataset) == reference
