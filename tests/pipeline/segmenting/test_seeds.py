"""Networks like InstanSeg: one result, however an image is worked on."""

from dataclasses import replace

import numpy as np
import pytest

from cellscale.images.array import ArrayImage
from cellscale.images.info import PixelSize
from cellscale.images.pixel_size import choose_pixel_size
from cellscale.label.parameters import NUCLEUS, WHOLE_CELL
from cellscale.label.seeds import Classifier, label_seed_block, numbered, numbered_pairs
from cellscale.pipeline.budget import Budget
from cellscale.pipeline.events import ignore
from cellscale.pipeline.image_run import ImageRun
from cellscale.pipeline.resume.state import RunState
from cellscale.pipeline.segmenting import block_store as block_module
from cellscale.pipeline.segmenting.inputs import network_input
from cellscale.pipeline.segmenting.predict_and_label import segment_channels
from cellscale.pipeline.segmenting.shares import label_share, plan_shares, predict_share
from cellscale.predict.input_format import INSTANSEG_INPUT
from cellscale.predict.instanseg import SeedNetwork
from cellscale.regions import Region
from tests.pipeline.segmenting.test_shares import Machine, masks
from tests.pipeline.spots import spots, write_dataset
from tests.predict.seed_network import seed_network

SHAPE = (157, 213)
BOTH = {"whole-cell": WHOLE_CELL, "nuclear": NUCLEUS}


@pytest.fixture(scope="module")
def network():
    return SeedNetwork(seed_network(), threads=1, name="spots")


@pytest.fixture(scope="module")
def planes():
    return spots(SHAPE, seed=2)


def segmented(
    planes, network, folder, *, mpp=0.5, workers=1, parameters=BOTH, intermediates=None, given=INSTANSEG_INPUT
):
    image = ArrayImage(planes, channel_names=["DAPI", "Membrane"], pixel_size=PixelSize(mpp, mpp))
    size = choose_pixel_size(image.info)
    source = network_input(image, pixel_size=size, apart=True, input_format=given)
    run = ImageRun("image", ignore, Budget(workers, 2**30))
    found = segment_channels(run, RunState(folder), source, network, parameters, intermediates)
    return {name: labels.read(image.info.region) for name, labels in found.items()}


@pytest.fixture(scope="module")
def at_once(planes, network):
    """Every step on the whole image."""
    low, high = np.percentile(planes, [0.1, 99.9], axis=(1, 2), keepdims=True)
    pixels = (planes.astype(np.float32) - low.astype(np.float32)) / (high - low + 1e-6).astype(np.float32)
    beyond = [(0, 0), (0, -SHAPE[0] % 16), (0, -SHAPE[1] % 16)]
    padded = np.pad(np.clip(pixels, -2, 3), beyond, mode="reflect")
    maps = network.predict(padded[:, None], np.zeros((2, 2), np.int64))[:, : SHAPE[0], : SHAPE[1]]
    core = Region(0, 0, *SHAPE)
    nuclei, cells = (
        label_seed_block(
            lambda region, part=part: maps[part : part + 5, *region.slices],
            core,
            SHAPE,
            Classifier.of(network.classifier),
        )
        for part in (0, 5)
    )
    inner, outer = numbered_pairs([nuclei], [cells], [(nuclei, cells)])
    found = numbered(nuclei.identities(core), inner.seeds, inner.labels)
    rest = numbered(cells.identities(core), outer.seeds, outer.labels)
    return {"nuclear": found, "whole-cell": np.where(found > 0, found, rest)}


@pytest.mark.slow
@pytest.mark.parametrize(("block", "square", "workers"), [(1024, 512, 1), (64, 48, 3), (48, 32, 2)])
def test_tiles_give_the_labels_of_the_whole_image(
    planes, network, at_once, tmp_path, monkeypatch, block, square, workers
):
    monkeypatch.setattr(block_module, "BLOCK", block)
    given = replace(INSTANSEG_INPUT, tile=square)
    found = segmented(planes, network, tmp_path / "state", workers=workers, given=given)
    assert list(found) == list(BOTH)
    for name, labels in found.items():
        np.testing.assert_array_equal(labels, at_once[name])
    assert found["nuclear"].max() > 50


def test_a_nucleus_has_the_number_of_its_cell(at_once):
    nuclei, cells = at_once["nuclear"], at_once["whole-cell"]
    assert np.array_equal(cells[nuclei > 0], nuclei[nuclei > 0])
    assert set(np.unique(cells)) == set(range(cells.max() + 1))


@pytest.mark.slow
def test_what_was_interrupted_is_finished_with_the_same_labels(planes, network, at_once, tmp_path, monkeypatch):
    monkeypatch.setattr(block_module, "BLOCK", 64)
    given = replace(INSTANSEG_INPUT, tile=64)
    calls = []

    class Failing(SeedNetwork):
        def predict(self, image, margins):
            calls.append(1)
            if len(calls) == 6:
                raise RuntimeError("the power is cut")
            return super().predict(image, margins)

    failing = Failing(seed_network(), threads=1)
    with pytest.raises(RuntimeError, match="power"):
        segmented(planes, failing, tmp_path / "state", given=given)
    found = segmented(planes, network, tmp_path / "state", given=given)
    for name, labels in found.items():
        np.testing.assert_array_equal(labels, at_once[name])


@pytest.mark.slow
def test_one_compartment_alone_and_other_pixel_sizes(planes, network, tmp_path):
    nuclei = segmented(planes, network, tmp_path / "one", parameters={"nuclear": NUCLEUS})
    assert list(nuclei) == ["nuclear"]
    assert set(np.unique(nuclei["nuclear"])) == set(range(nuclei["nuclear"].max() + 1))
    larger = segmented(planes, network, tmp_path / "two", mpp=0.9)
    assert larger["whole-cell"].shape == SHAPE
    assert larger["whole-cell"].max() > 10


@pytest.mark.slow
def test_intermediates_are_what_the_network_took_and_gave(planes, network, tmp_path):
    import zarr

    segmented(planes, network, tmp_path / "state", intermediates=tmp_path / "kept.zarr")
    group = zarr.open_group(tmp_path / "kept.zarr", mode="r")
    assert group["preprocessed"].shape == (2, *SHAPE)
    assert group["maps"].shape == (10, *SHAPE)
    assert group.attrs["maps"][0] == "nuclear offset along columns"
    assert np.percentile(group["preprocessed"][0], 99.9) == pytest.approx(1, abs=1e-3)


@pytest.fixture
def dataset(tmp_path):
    return write_dataset(tmp_path / "dataset", image=spots((600, 1100), seed=4))


@pytest.mark.slow
def test_machines_share_an_image_and_make_the_masks_of_one(dataset, tmp_path):
    model = tmp_path / "spots.onnx"
    model.write_bytes(seed_network())
    alone = Machine(dataset, model)
    alone.finish()
    expected = masks(dataset)
    for mask in dataset.glob("SEGMASK/*"):
        mask.unlink()
    first, second = Machine(dataset, model), Machine(dataset, model)
    plan = first.do(plan_shares)
    assert (plan.groups, plan.blocks) == (6, 2)
    first.do(predict_share, plan.missing_groups[:3])
    assert second.do(label_share, plan.missing_blocks)["labels"] == 4
    done = first.finish()
    assert "network" not in done
    assert masks(dataset) == expected
