"""What a killed run had finished is not done again, and the end is the same to the byte."""

import glob
import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from cellscale.pipeline.segmenting.block_store import BLOCK
from cellscale.pipeline.segmenting.tile_store import TileGroups
from cellscale.predict.tiles import TileGrid
from cellscale.regions import blocks
from tests.pipeline.spots import spots, write_dataset, write_image

pytestmark = pytest.mark.slow

SIDE = 1700
"""Rows and columns of the image whose work is interrupted."""

COMMAND = [sys.executable, "-m", "cellscale", "segment", "--workers", "2"]


def command(dataset, model, *options):
    return [*COMMAND, "--model_path", str(model), *options, "workspace", str(dataset)]


def completed(dataset, model, *options, code=0):
    done = subprocess.run(command(dataset, model, *options), capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    return done


def masks(dataset):
    return {path.name: path.read_bytes() for path in sorted((dataset / "SEGMASK").iterdir())}


def units(dataset):
    """The finished tile groups and blocks that a killed run left."""
    # Not by Path, which does not bear that folders go while it looks.
    return set(glob.glob("jobs/*.*/*/*.npz", root_dir=dataset))  # noqa: PTH207


def killed(dataset, model, log, more, seconds):
    """Start a run and kill it some time after it has finished so many more units; tell whether it was still at it."""
    goal = len(units(dataset)) + more
    began = log.stat().st_size if log.exists() else 0
    process = subprocess.Popen(
        command(dataset, model, "--log_file", str(log)), stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    while process.poll() is None and (not log.exists() or log.stat().st_size == began or len(units(dataset)) < goal):
        time.sleep(0.01)
    time.sleep(seconds)
    running = process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.wait()
    return running


@pytest.mark.parametrize("least", [6, pytest.param(40, marks=pytest.mark.hostile)])
def test_a_run_killed_at_random_moments_ends_with_the_same_bytes(tmp_path, tiny_model, least):
    planes = spots((SIDE, SIDE), seed=5)
    completed(write_dataset(tmp_path / "whole", image=planes), tiny_model)
    expected = masks(tmp_path / "whole")
    chance = random.Random(7)
    kills, round_, spared = 0, 0, 0
    while kills < least:
        round_ += 1
        dataset = write_dataset(tmp_path / f"killed{round_}", image=planes)
        log = tmp_path / f"{round_}.jsonl"
        survivors: set[str] = set()
        for _ in range(3):
            if not killed(dataset, tiny_model, log, chance.randint(0, 3), chance.uniform(0, 0.3)):
                break
            kills += 1
            survivors = units(dataset)
        completed(dataset, tiny_model, "--log_file", str(log))
        assert masks(dataset) == expected
        assert recomputed(log, survivors)
        spared += len(survivors)
        # After a run that was killed, what it had given out must not find the dataset free.
        assert [path.name for path in dataset.glob("jobs/*.*")] == ["run.json"]
        assert not list(dataset.rglob("*.part"))
    assert spared, "no run had finished anything when it was killed"


def recomputed(log, survivors):
    """Check with the last run's log that exactly the missing units were done."""
    events = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    last = max(index for index, event in enumerate(events) if event["event"] == "ImageStarted")
    for stage, missing in zip(("network", "labels"), missing_units(survivors), strict=True):
        started = [event for event in events[last:] if event["event"] == "StageStarted" and event["stage"] == stage]
        finished = [
            e["record"] for e in events[last:] if e["event"] == "StageFinished" and e["record"]["stage"] == stage
        ]
        if started:
            assert started[0]["total"] - started[0]["done"] == missing
            assert finished[0]["units"] == missing
    return True


def missing_units(survivors):
    """Return how many groups and blocks were still to be done: of the groups, those near a missing block."""
    there = {tuple(Path(name).with_suffix("").parts[-2:]) for name in survivors}
    groups = TileGroups(TileGrid.of((SIDE, SIDE)))
    cores = list(blocks((SIDE, SIDE), (BLOCK, BLOCK)))
    wanted = {(mask, str(index)) for mask in ("whole-cell", "nuclear") for index in range(len(cores))} - there
    needed = {f"{row}_{column}" for _, index in wanted for row, column in groups.near(cores[int(index)])}
    return sum(("tiles", group) not in there for group in needed), len(wanted)


def test_a_finished_image_is_kept_and_overwrite_makes_the_same_bytes_again(tmp_path, tiny_model):
    dataset = write_dataset(tmp_path, image=spots((300, 300)))
    completed(dataset, tiny_model)
    first = masks(dataset)
    stamps = {path.name: path.stat().st_mtime_ns for path in (dataset / "SEGMASK").iterdir()}
    assert "\tkept\t" in completed(dataset, tiny_model).stdout
    assert {path.name: path.stat().st_mtime_ns for path in (dataset / "SEGMASK").iterdir()} == stamps
    assert "\tdone\t" in completed(dataset, tiny_model, "--overwrite").stdout
    assert masks(dataset) == first


@pytest.mark.parametrize(
    "options",
    [
        ["--nuclear_channel", "#2"],
        ["--image_mpp", "0.6"],
        ["--whole_cell_small_objects", "60"],
        ["--expand_cells", "2um"],
    ],
)
def test_other_options_never_reuse_what_was_made_before(tmp_path, tiny_model, options):
    planes = spots((400, 400), seed=3)
    completed(write_dataset(tmp_path / "fresh", image=planes), tiny_model, *options)
    dataset = write_dataset(tmp_path / "again", image=planes)
    completed(dataset, tiny_model)
    done = completed(dataset, tiny_model, *options)
    assert "made again" in done.stderr
    assert masks(dataset) == masks(tmp_path / "fresh")


def test_another_image_under_the_same_name_never_reuses_what_was_made_before(tmp_path, tiny_model):
    dataset = write_dataset(tmp_path / "dataset", image=spots((400, 400), seed=1))
    completed(dataset, tiny_model)
    write_image(dataset / "OMETIFF" / "image.ome.tiff", spots((400, 400), seed=2))
    completed(dataset, tiny_model)
    fresh = write_dataset(tmp_path / "fresh", image=spots((400, 400), seed=2))
    completed(fresh, tiny_model)
    assert masks(dataset) == masks(fresh)


def test_state_of_other_options_is_removed_and_not_used(tmp_path, tiny_model):
    dataset = write_dataset(tmp_path, image=spots((300, 300)))
    stale = dataset / "jobs" / "image.0123456789ab" / "tiles"
    stale.mkdir(parents=True)
    np.savez(stale / "0_0.npz", maps=np.zeros((4, 256, 256, 4), np.float32))
    completed(dataset, tiny_model)
    assert not stale.exists()


def test_masks_that_someone_edited_are_kept_unless_overwrite_is_given(tmp_path, tiny_model):
    dataset = write_dataset(tmp_path, image=spots((300, 300)))
    completed(dataset, tiny_model)
    made = masks(dataset)
    edited = dataset / "SEGMASK" / "image_WholeCellMask.tiff"
    edited.write_bytes(edited.read_bytes() + b"\0")
    assert "they are kept" in completed(dataset, tiny_model).stderr
    done = completed(dataset, tiny_model, "--image_mpp", "0.4", code=1)
    assert f"{edited}: changed by a person" in done.stderr
    assert edited.read_bytes() == made[edited.name] + b"\0"
    completed(dataset, tiny_model, "--overwrite")
    assert edited.read_bytes() == made[edited.name] + b"\0"
    completed(dataset, tiny_model, "--overwrite=foreign")
    assert masks(dataset) == made


def test_a_second_run_on_the_same_dataset_says_so_and_stops(tmp_path, tiny_model):
    dataset = write_dataset(tmp_path, image=spots((2300, 2300)))
    first = subprocess.Popen(command(dataset, tiny_model), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while first.poll() is None and not list(dataset.glob("jobs/*.*/*")):
            time.sleep(0.01)
        assert first.poll() is None
        done = completed(dataset, tiny_model, code=2)
        assert "another run is at work on this dataset" in done.stderr
    finally:
        assert first.wait(300) == 0
    assert len(masks(dataset)) == 2


def test_intermediates_are_kept_as_zarr_on_request(tmp_path, tiny_model):
    import zarr

    dataset = write_dataset(tmp_path, image=spots((300, 420)))
    completed(dataset, tiny_model, "--keep_intermediates")
    group = zarr.open_group(dataset / "jobs" / "intermediates" / "image.zarr", mode="r")
    assert group["preprocessed"].shape == (2, 300, 420)
    assert group["maps"].shape == (4, 300, 420)
    assert float(group["preprocessed"][...].max()) == 1.0
    assert group.attrs["maps"] == ["whole-cell maxima", "whole-cell interior", "nuclear maxima", "nuclear interior"]
