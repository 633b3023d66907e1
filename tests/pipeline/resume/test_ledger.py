"""The ledger knows what is left to do, and whose an output is."""

import pytest

from cellscale.errors import StorageError
from cellscale.pipeline.resume.ledger import Ledger


@pytest.fixture
def files(tmp_path):
    return [tmp_path / "one.tiff", tmp_path / "two.tiff"]


def make(ledger, files, mark="mark"):
    ledger.begin("segmentation", mark, files)
    for file in files:
        file.write_text(f"{file.name} {mark}")
    ledger.finish("segmentation", files, {"objects": {"nuclear": 3}})


def decide(folder, files, mark="mark"):
    return Ledger(folder, "image").decide("segmentation", mark, files)


def test_missing_outputs_are_made(tmp_path, files):
    assert decide(tmp_path, files) == "make"


def test_finished_outputs_of_the_same_input_are_kept_with_their_facts(tmp_path, files):
    make(Ledger(tmp_path, "image"), files)
    assert decide(tmp_path, files) == "keep"
    assert Ledger(tmp_path, "image").facts("segmentation")["objects"] == {"nuclear": 3}


def test_outputs_of_other_input_are_made_again(tmp_path, files):
    make(Ledger(tmp_path, "image"), files)
    assert decide(tmp_path, files, "other") == "remake"


def test_one_output_that_was_deleted_is_made_again(tmp_path, files):
    make(Ledger(tmp_path, "image"), files)
    files[1].unlink()
    assert decide(tmp_path, files) == "make"


def test_outputs_that_a_killed_run_left_are_known_for_ours(tmp_path, files):
    Ledger(tmp_path, "image").begin("segmentation", "mark", files)
    files[0].write_text("whole")
    assert decide(tmp_path, files) == "make"
    assert Ledger(tmp_path, "image").facts("segmentation") == {}


def test_an_output_that_was_changed_or_made_by_others_is_foreign(tmp_path, files):
    files[0].write_text("someone's")
    assert decide(tmp_path, files) == "foreign"
    make(Ledger(tmp_path, "image"), files)
    files[1].write_text("edited by hand")
    assert decide(tmp_path, files) == "foreign"


def test_outputs_made_for_other_options_stay_known_for_ours(tmp_path, files):
    make(Ledger(tmp_path, "image"), files, "both")
    make(Ledger(tmp_path, "image"), files[:1], "only one")
    assert decide(tmp_path, files, "both") == "remake"


@pytest.mark.parametrize(
    "content", ["", "garbage", "{", "[]", '{"segmentation": 3}', '{"segmentation": {}}', "[" * 99_999]
)
def test_a_damaged_ledger_knows_nothing_and_says_so_without_failing(tmp_path, files, content):
    make(Ledger(tmp_path, "image"), files)
    (tmp_path / "records" / "image.json").write_text(content)
    assert decide(tmp_path, files) == "foreign"
    assert Ledger(tmp_path, "image").facts("segmentation") == {}


def test_a_record_that_cannot_be_read_now_is_an_error_and_is_not_replaced(tmp_path, files):
    make(Ledger(tmp_path, "image"), files)
    record = tmp_path / "records" / "image.json"
    kept = record.rename(tmp_path / "kept")
    record.mkdir()  # there, and not to be read
    with pytest.raises(StorageError, match=r"cannot read \S*image\.json"):
        Ledger(tmp_path, "image")
    record.rmdir()
    kept.rename(record)
    assert decide(tmp_path, files) == "keep"


def test_a_run_that_has_a_name_knows_what_it_finished_itself(tmp_path, files):
    make(Ledger(tmp_path, "image"), files)
    assert not Ledger(tmp_path, "image").finished_in("segmentation", None)
    ledger = Ledger(tmp_path, "image")
    ledger.begin("segmentation", "mark", files)
    assert not ledger.finished_in("segmentation", "one")
    ledger.finish("segmentation", files, {}, "one")
    found = Ledger(tmp_path, "image")
    assert found.finished_in("segmentation", "one")
    assert not found.finished_in("segmentation", "another")
    assert not found.finished_in("measurement", "one")
