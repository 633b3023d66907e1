"""A record that was damaged is known for that, and still tells what is ours."""

import json

import numpy as np
import pytest

from cellscale.workspace.record.ledger import Ledger
from cellscale.workspace.record.record_file import read_record
from tests.workspace.record.test_ledger import judge, make

NAMES = ("one.tiff", 'Süd "2".tiff', "three.ome.zarr")


@pytest.fixture
def files(tmp_path):
    return [tmp_path / name for name in NAMES]


@pytest.fixture
def place(tmp_path, files):
    make(Ledger(tmp_path, "image"), files)
    return tmp_path / "records" / "image.json"


def test_a_record_that_is_whole_says_so_and_has_its_checksum_first(place):
    assert not read_record(place).is_damaged
    assert next(iter(json.loads(place.read_bytes()))) == "checksum"


def test_a_record_of_before_without_a_checksum_is_taken(tmp_path, files, place):
    facts = json.loads(place.read_bytes())
    del facts["checksum"]
    place.write_text(json.dumps(facts, indent=1, ensure_ascii=False), encoding="utf-8")
    assert judge(tmp_path, files).kept == tuple(files)


@pytest.mark.parametrize(
    "change", [("mark", "other"), ('"nuclear": 3', '"nuclear": 4'), ("true", "false"), ("}", "")]
)
def test_ours_is_made_again_where_the_record_was_changed(tmp_path, files, place, change):
    place.write_text(place.read_text(encoding="utf-8").replace(*change, 1), encoding="utf-8")
    ledger = Ledger(tmp_path, "image")
    assert ledger.is_damaged
    assert ledger.facts("segmentation") == {}
    verdict = judge(tmp_path, files)
    assert set(verdict.stale) >= set(files[1:])
    assert not verdict.kept
    make(ledger, files)
    assert judge(tmp_path, files).kept == tuple(files)


def test_what_a_person_changed_stays_theirs_where_the_record_is_damaged(tmp_path, files, place):
    files[1].write_text("a person's", encoding="utf-8")
    place.write_bytes(place.read_bytes()[:-30])
    verdict = judge(tmp_path, files)
    assert verdict.persons == (files[1],)
    assert verdict.misfits == (files[1],), "nobody knows any more what it was made from"
    assert verdict.stale == (files[0], files[2])


def test_of_what_was_cut_off_the_outputs_that_are_left_are_ours(tmp_path, files, place):
    text = place.read_bytes()
    place.write_bytes(text[: text.index(b"three")])
    verdict = judge(tmp_path, files)
    assert (verdict.stale, verdict.persons) == ((files[0], files[1]), (files[2],))


def test_nothing_is_kept_after_any_damage(tmp_path, files, place):
    whole, chance = place.read_bytes(), np.random.default_rng(3)
    for _ in range(300):
        damaged = bytearray(whole)
        for at in chance.integers(0, len(whole), chance.integers(1, 4)):
            damaged[at] = chance.integers(0, 256)
        place.write_bytes(bytes(damaged))
        if json_of(damaged) != json_of(whole):
            verdict = judge(tmp_path, files)
            assert not verdict.kept
            assert len(verdict.stale) + len(verdict.persons) == len(files)


def json_of(text):
    try:
        return json.loads(bytes(text))
    except ValueError:
        return None
