"""Work for a run that died writes nothing once another run has begun."""

import pytest

from cellscale.errors import RunInProgressError
from cellscale.workspace.claim import Claim
from cellscale.workspace.layout import workspace_paths
from cellscale.workspace.locking import dataset_lock
from cellscale.workspace.record import Ledger


def refused(claim):
    with pytest.raises(RunInProgressError, match=f"work for run {claim.run}"):
        claim.require()


def test_a_run_may_write_until_another_one_begins(tmp_path):
    first, second = (Claim(tmp_path, name) for name in ("first", "second"))
    refused(first)
    first.announce()
    first.require()
    second.announce()
    second.require()
    refused(first)


def test_a_run_that_ended_in_good_order_leaves_nothing_and_its_tasks_write_no_more(tmp_path):
    paths = workspace_paths(tmp_path)
    with dataset_lock(paths, tables=False) as claim:
        claim.require()
    refused(claim)
    assert not (tmp_path / "jobs" / "run.json").exists()


def test_tasks_of_a_run_that_died_write_nothing_when_the_next_run_has_ended(tmp_path):
    paths = workspace_paths(tmp_path)
    dead = Claim(paths.jobs, "dead", needed=False)
    dead.announce()
    for _ in range(2):
        with dataset_lock(paths, tables=False):
            refused(dead)
        left = (tmp_path / "jobs" / "run.json").read_bytes()
        refused(dead)
    with dataset_lock(paths, tables=False):
        pass
    assert (tmp_path / "jobs" / "run.json").read_bytes() == left  # a run that makes nothing changes nothing


def test_a_run_that_begins_meanwhile_keeps_its_claim_when_the_one_before_it_ends(tmp_path):
    paths = workspace_paths(tmp_path)
    later = Claim(paths.jobs, "later")
    with dataset_lock(paths, tables=False):
        later.announce()
    later.require()


def test_tasks_without_a_coordinator_may_write_where_no_run_has_begun(tmp_path):
    Claim(tmp_path, "run", needed=False).require()


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"run": 3}'])
def test_a_damaged_claim_is_nobodys(tmp_path, damage):
    (tmp_path / "run.json").write_text(damage)
    refused(Claim(tmp_path, "run", needed=False))
    claim = Claim(tmp_path, "next")
    claim.announce()
    claim.require()


def test_a_record_is_not_written_for_a_run_that_another_one_followed(tmp_path):
    claim = Claim(tmp_path, "dead")
    claim.announce()
    output = tmp_path / "mask.tiff"
    output.write_text("mask")
    ledger = Ledger(tmp_path, "image", claim.require)
    ledger.begin("segmentation", "mark", [output])
    before = ledger.location.read_bytes()
    Claim(tmp_path, "next").announce()
    with pytest.raises(RunInProgressError):
        ledger.finish("segmentation", [output], {})
    assert ledger.location.read_bytes() == before
