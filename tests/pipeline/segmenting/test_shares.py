"""Shares of an image, done in any order, twice or not at all, leave less to do and the same result."""

import random

import fsspec
import pytest

from cellscale.engines.preflight import choose_model
from cellscale.errors import ImageError, RunInProgressError
from cellscale.pipeline.budget import Budget
from cellscale.pipeline.events import ignore
from cellscale.pipeline.image import process_image
from cellscale.pipeline.image_run import ImageRun
from cellscale.pipeline.run_context import ALONE, Placement
from cellscale.pipeline.segmenting.methods import maxima_method as maxima
from cellscale.pipeline.segmenting.shares import label_share, plan_shares, predict_share, prepare_share
from cellscale.workspace.claim import Claim
from cellscale.workspace.discovery import discover
from cellscale.workspace.layout import workspace_paths
from tests.pipeline.spots import spots, write_dataset
from tests.requests import request_for

PLANES = spots((1100, 1300), seed=4)
BUDGET = Budget(1, 2**31)
MASKS = ("SEGMASK/image_WholeCellMask.tiff", "SEGMASK/image_NucleusMask.tiff")


class Machine:
    """One of those that work on an image, with nothing but its request."""

    def __init__(self, dataset, model_path, placement=ALONE):
        self.placement = placement
        self.request = request_for(
            workspace_paths(dataset), measure=False, report=False, model_path=str(model_path), workers=1
        )
        self.model = choose_model(self.request)
        (self.entry,) = discover(self.request.paths)

    def do(self, share, *units):
        run = ImageRun("image", ignore, BUDGET, placement=self.placement)
        result = share(run, self.entry, self.request, self.model, *units)
        return result or {record.stage: record.units for record in run.records}

    def finish(self):
        """Do what is left; return how many units of each stage that was."""
        placement = Placement(shared_state=True)
        outcome = process_image(self.entry, self.request, self.model, BUDGET, ignore, placement)
        assert outcome.status == "done", outcome.error
        return {record.stage: record.units for record in outcome.stages}


def masks(dataset):
    return [(dataset / mask).read_bytes() for mask in MASKS]


@pytest.fixture
def dataset(tmp_path):
    return write_dataset(tmp_path / "dataset", image=PLANES)


@pytest.fixture(scope="module")
def expected(tmp_path_factory, tiny_model):
    dataset = write_dataset(tmp_path_factory.mktemp("alone"), image=PLANES)
    Machine(dataset, tiny_model).finish()
    return masks(dataset)


@pytest.mark.slow
def test_all_shares_in_any_order_and_some_twice_leave_only_the_end(dataset, tiny_model, expected):
    machines = [Machine(dataset, tiny_model) for _ in range(3)]
    plan = machines[0].do(plan_shares)
    assert (plan.groups, plan.blocks) == (len(plan.missing_groups), len(plan.missing_blocks)) == (4, 4)
    machines[0].do(prepare_share)
    groups = [(group,) for group in plan.missing_groups]
    shuffled = random.Random(1)
    for index, share in enumerate(shuffled.sample(groups, len(groups)) + groups[:1]):
        done = machines[index % 3].do(predict_share, share)
        assert done == {"network": 1 if index < len(groups) else 0}
    for block in shuffled.sample(plan.missing_blocks, len(plan.missing_blocks)):
        assert machines[block % 3].do(label_share, (block,)) == {"labels": 2}
    left = machines[2].do(plan_shares)
    assert (left.missing_groups, left.missing_blocks) == ((), ())
    assert machines[1].finish().keys() == {"numbering", "masks"}
    assert masks(dataset) == expected


@pytest.mark.slow
def test_tiles_that_are_missing_are_predicted_where_they_are_needed(dataset, tiny_model, expected):
    machine = Machine(dataset, tiny_model)
    done = machine.do(label_share, (3,))
    assert done["network"] >= 1
    assert done["labels"] == 2
    assert machine.finish()["labels"] == 6
    assert masks(dataset) == expected


@pytest.mark.slow
def test_nothing_is_planned_where_the_masks_are_there(dataset, tiny_model):
    machine = Machine(dataset, tiny_model)
    machine.finish()
    assert machine.do(plan_shares).groups == 0


@pytest.mark.slow
def test_machines_share_an_image_in_an_object_store(dataset, tiny_model, expected, tmp_path, monkeypatch):
    monkeypatch.setenv("CELLSCALE_CACHE", str(tmp_path / "cache"))
    store = fsspec.filesystem("memory")
    store.put(str(dataset), "/shares", recursive=True)
    try:
        first, second = (Machine("memory://shares", tiny_model) for _ in range(2))
        plan = first.do(plan_shares)
        first.do(predict_share, plan.missing_groups)
        assert second.do(label_share, plan.missing_blocks) == {"labels": 8}
        assert not list(tmp_path.rglob("*.npz"))
        assert first.finish().keys() == {"numbering", "masks"}
        assert [store.cat(f"/shares/{mask}") for mask in MASKS] == expected
        assert not [name for name in store.find("/shares/jobs") if name.endswith(".npz")]
    finally:
        store.rm("/shares", recursive=True)


def test_a_share_of_an_image_that_is_replaced_meanwhile_keeps_none_of_its_work(dataset, tiny_model, monkeypatch):
    machine = Machine(dataset, tiny_model)
    machine.do(prepare_share)
    before = kept(dataset)
    predict_groups = maxima.predict_groups

    def then_replaced(*words, **settings):
        write_dataset(dataset, image=spots(PLANES.shape[1:], seed=9))
        return predict_groups(*words, **settings)

    monkeypatch.setattr(maxima, "predict_groups", then_replaced)
    with pytest.raises(ImageError, match="changed while it was worked on"):
        machine.do(predict_share, machine.do(plan_shares).missing_groups[:1])
    assert kept(dataset) == before


def test_a_share_for_a_run_that_another_one_followed_keeps_none_of_its_work(dataset, tiny_model):
    dead, following = (Claim(dataset / "jobs", name) for name in ("dead", "following"))
    dead.announce()
    machine = Machine(dataset, tiny_model, Placement(claim=dead))
    machine.do(prepare_share)
    plan = machine.do(plan_shares)
    following.announce()
    before = kept(dataset)
    with pytest.raises(RunInProgressError, match="following has begun since"):
        machine.do(predict_share, plan.missing_groups[:1])
    assert kept(dataset) == before
    assert Machine(dataset, tiny_model, Placement(claim=following)).do(predict_share, plan.missing_groups[:1])


def kept(dataset):
    """Return the units that are there."""
    return {str(path) for path in (dataset / "jobs").rglob("*") if path.is_file() and path.name != "run.json"}
