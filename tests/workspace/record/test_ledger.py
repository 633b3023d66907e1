"""The ledger knows what is left to do, and whose an output is."""

import json
import os
import shutil

import pytest

from cellscale.errors import StorageError
from cellscale.workspace.record.ledger import Ledger


@pytest.fixture
def files(tmp_path):
    return [tmp_path / "one.tiff", tmp_path / "two.tiff"]


def make(ledger, files, mark="mark"):
    ledger.begin("segmentation", mark, files)
    for file in files:
        file.write_text(f"{file.name} {mark}")
    ledger.finish("segmentation", files, {"objects": {"nuclear": 3}})


def judge(folder, files, mark="mark", **options):
    return Ledger(folder, "image").judge("segmentation", mark, files, **options)


def record(folder):
    return json.loads((folder / "records" / "image.json").read_text())


def test_missing_outputs_are_made(tmp_path, files):
    assert judge(tmp_path, files).missing == tuple(files)


def test_finished_outputs_of_the_same_input_are_kept_with_their_facts(tmp_path, files):
    make(Ledger(tmp_path, "image"), files)
    verdict = judge(tmp_path, files)
    assert verdict.is_done
    assert verdict.kept == tuple(files)
    assert Ledger(tmp_path, "image").facts("segmentation")["objects"] == {"nuclear": 3}


def test_outputs_of_other_input_are_made_again(tmp_path, files):
    make(Ledger(tmp_path, "image"), files)
    assert judge(tmp_path, files, "other").stale == tuple(files)


def test_one_output_that_was_deleted_is_made_again_and_the_other_kept(tmp_path, files):
    make(Ledger(tmp_path, "image"), files)
    files[1].unlink()
    verdict = judge(tmp_path, files)
    assert verdict.missing == (files[1],)
    assert verdict.kept == (files[0],)


def test_outputs_that_a_killed_run_left_are_known_for_ours(tmp_path, files):
    Ledger(tmp_path, "image").begin("segmentation", "mark", files)
    files[0].write_text("whole")
    assert judge(tmp_path, files).missing == tuple(files)
    assert Ledger(tmp_path, "image").facts("segmentation") == {}


def test_outputs_that_a_killed_run_was_to_make_again_are_made_with_what_is_worth_knowing_of_them(tmp_path, files):
    make(Ledger(tmp_path, "image"), files)
    Ledger(tmp_path, "image").begin("segmentation", "mark", files)
    assert judge(tmp_path, files).missing == tuple(files)


def test_an_output_that_was_changed_or_made_by_others_is_a_persons_and_the_other_is_made(tmp_path, files):
    files[0].write_text("someone's")
    verdict = judge(tmp_path, files)
    assert (verdict.persons, verdict.missing) == ((files[0],), (files[1],))
    make(Ledger(tmp_path, "image"), files)
    files[1].write_text("edited by hand")
    assert judge(tmp_path, files).persons == (files[1],)
    assert not judge(tmp_path, files).misfits
    assert judge(tmp_path, files, "other").misfits == (files[1],)
    assert judge(tmp_path, files, "other").stale == (files[0],)


def test_an_output_with_another_time_and_the_same_content_is_ours_and_the_record_learns_the_time(tmp_path, files):
    make(Ledger(tmp_path, "image"), files)
    os.utime(files[0], (1, 1))
    ledger = Ledger(tmp_path, "image")
    assert ledger.judge("segmentation", "mark", files).kept == tuple(files)
    assert ledger.judge("segmentation", "other", files).stale == tuple(files)
    ledger.keep()
    assert record(tmp_path)["segmentation"]["outputs"]["one.tiff"]["stamp"].startswith("1000000000 ")


def test_an_output_with_the_same_size_and_time_and_other_content_is_a_persons(tmp_path, files):
    make(Ledger(tmp_path, "image"), files)
    facts = files[0].stat()
    files[0].write_text(files[0].read_text().replace("one", "two"))
    os.utime(files[0], ns=(facts.st_atime_ns, facts.st_mtime_ns))
    assert judge(tmp_path, files).persons == (files[0],)


def test_outputs_that_were_copied_without_their_times_are_ours(tmp_path, files):
    make(Ledger(tmp_path, "image"), files)
    copy = tmp_path / "copy"
    shutil.copytree(tmp_path / "records", copy / "records")
    moved = [copy / file.name for file in files]
    for file, place in zip(files, moved, strict=True):
        shutil.copyfile(file, place)
    assert judge(copy, moved).kept == tuple(moved)


def test_nothing_is_read_of_outputs_whose_size_and_times_are_those_on_record(tmp_path, files, monkeypatch):
    make(Ledger(tmp_path, "image"), files)
    os.utime(files[0], (1, 1))
    files[1].write_text("edited " + files[1].read_text()[7:])  # the same size
    ledger = Ledger(tmp_path, "image")
    ledger.judge("segmentation", "mark", files)
    ledger.keep()

    def refuse(*words):
        raise AssertionError(f"{words} was read")

    monkeypatch.setattr("cellscale.storage.content.content_of", refuse)
    verdict = judge(tmp_path, files)
    assert (verdict.kept, verdict.persons) == ((files[0],), (files[1],))


def test_outputs_made_for_other_options_stay_known_for_ours(tmp_path, files):
    make(Ledger(tmp_path, "image"), files, "both")
    make(Ledger(tmp_path, "image"), files[:1], "only one")
    verdict = judge(tmp_path, files, "both")
    assert (verdict.stale, verdict.kept) == ((files[0],), (files[1],))


def test_a_record_of_version_0_2_is_read_and_brought_up_to_date(tmp_path, files):
    make(Ledger(tmp_path, "image"), files)
    markers = {file.name: f"{file.stat().st_size} {file.stat().st_mtime_ns}" for file in files}
    old = {"segmentation": {"complete": True, "fingerprint": "by time", "outputs": markers}}
    (tmp_path / "records" / "image.json").write_text(json.dumps(old))
    assert judge(tmp_path, files).stale == tuple(files)
    ledger = Ledger(tmp_path, "image")
    assert ledger.judge("segmentation", "by content", files, earlier="by time").kept == tuple(files)
    ledger.keep()
    os.utime(files[0], (1, 1))
    assert judge(tmp_path, files, "by content").kept == tuple(files)
    (tmp_path / "records" / "image.json").write_text(json.dumps(old))
    assert judge(tmp_path, files, "by time").persons == (files[0],)


@pytest.mark.parametrize(
    "content", ["", "garbage", "{", "[]", '{"segmentation": 3}', '{"segmentation": {}}', "[" * 99_999]
)
def test_a_damaged_ledger_knows_nothing_and_says_so_without_failing(tmp_path, files, content):
    make(Ledger(tmp_path, "image"), files)
    (tmp_path / "records" / "image.json").write_text(content)
    assert judge(tmp_path, files).persons == tuple(files)
    assert Ledger(tmp_path, "image").facts("segmentation") == {}


@pytest.mark.parametrize("content", [b"", bytes(4096)])
def test_what_was_emptied_or_never_reached_the_disk_is_nobodys_and_made_again(tmp_path, files, content):
    folder = tmp_path / "three.ome.zarr"
    folder.mkdir()
    (folder / "zarr.json").write_text("{}")
    ledger = Ledger(tmp_path, "image")
    ledger.begin("segmentation", "mark", [*files, folder])
    for file in files:
        file.write_text(file.name)
    ledger.finish("segmentation", [*files, folder], {})
    files[0].write_bytes(content)
    (folder / "zarr.json").unlink()
    verdict = judge(tmp_path, [*files, folder])
    assert (verdict.missing, verdict.kept, verdict.persons) == ((files[0], folder), (files[1],), ())
    files[1].write_text("words of a person")
    (tmp_path / "records" / "image.json").unlink()
    assert judge(tmp_path, [*files, folder]).persons == (*files, folder), "an empty file that nobody knows"


@pytest.mark.parametrize(
    "damage", [3, None, {}, {"size": "1", "stamp": "", "hash": "x", "made_from": "mark"}, "words"]
)
def test_an_output_whose_own_record_is_damaged_is_a_persons_and_the_other_is_kept(tmp_path, files, damage):
    make(Ledger(tmp_path, "image"), files)
    facts = record(tmp_path)
    del facts["checksum"]  # as records were that had none
    facts["segmentation"]["outputs"]["one.tiff"] = damage
    facts["inputs"] = damage
    (tmp_path / "records" / "image.json").write_text(json.dumps(facts))
    verdict = judge(tmp_path, files)
    assert (verdict.persons, verdict.kept) == ((files[0],), (files[1],))


def test_a_record_that_cannot_be_read_now_is_an_error_and_is_not_replaced(tmp_path, files):
    make(Ledger(tmp_path, "image"), files)
    record = tmp_path / "records" / "image.json"
    kept = record.rename(tmp_path / "kept")
    record.mkdir()  # there, and not to be read
    with pytest.raises(StorageError, match=r"cannot read \S*image\.json"):
        Ledger(tmp_path, "image")
    record.rmdir()
    kept.rename(record)
    assert judge(tmp_path, files).is_done


def test_an_output_that_disappears_while_it_is_made_is_an_error(tmp_path, files):
    ledger = Ledger(tmp_path, "image")
    ledger.begin("segmentation", "mark", files)
    with pytest.raises(StorageError, match=r"one\.tiff was removed"):
        ledger.finish("segmentation", files, {})


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
