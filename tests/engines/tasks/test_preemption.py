"""A machine is taken away in the middle of an image; another one, that has nothing, goes on where it stopped."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from cellscale.storage.atomic import write_bytes
from cellscale.storage.uri import join, objects_below, read_bytes
from tests.cli.runs import MASKS, run
from tests.engines.tasks.cloud import lines, sent, spec_for
from tests.patience import HANGS
from tests.pipeline.spots import spots, write_dataset
from tests.storage.servers import BUCKET


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return write_dataset(tmp_path_factory.mktemp("preempted") / "dataset", image=spots((1100, 1100), seed=5))


@pytest.fixture(scope="module")
def expected(dataset, tiny_model, tmp_path_factory):
    """The masks of a run that nobody interrupted."""
    folder = tmp_path_factory.mktemp("uninterrupted") / "dataset"
    folder.mkdir()
    (folder / "OMETIFF").symlink_to(dataset / "OMETIFF")
    assert run("segment", "--model_path", tiny_model, "workspace", folder).exit_code == 0
    return {mask: (folder / mask.format("image")).read_bytes() for mask in MASKS}


def started(spec, cache):
    """Start a task on a machine of its own."""
    command = [sys.executable, "-m", "cellscale", "stage", "segment-image", "--tasks_spec_uri", spec]
    environment = {**os.environ, "CELLSCALE_CACHE": str(cache), "BATCH_TASK_INDEX": "0"}
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


def stopped_at(proxy, spec, cache, units, how):
    """Run a task until so many units are in the bucket, let no more of them in, and stop it."""
    arrived, gone = threading.Event(), threading.Event()
    lock, count = threading.Lock(), 0

    def fail(method, path, body):
        nonlocal count
        if method != "POST" or b".npz" not in body[:1000]:
            return None
        with lock:
            if count < units:
                count += 1
                return None
        arrived.set()
        gone.wait(60)
        return 403

    proxy.fail = fail
    with started(spec, cache) as process:
        try:
            assert arrived.wait(HANGS)
            time.sleep(0.2)  # the answers to those that were let in
            process.send_signal(how)
        finally:
            gone.set()
        process.communicate(timeout=HANGS)
    proxy.fail = lambda method, path, body: None
    return process.returncode


@pytest.mark.slow
@pytest.mark.parametrize(("units", "how"), [(2, signal.SIGKILL), (7, signal.SIGKILL), (2, signal.SIGTERM)])
def test_finished_work_is_not_done_again(gcs_proxy, dataset, expected, tiny_model, tmp_path, units, how) -> None:
    place = sent(dataset, f"gs://{BUCKET}/{tmp_path.name}")
    spec = spec_for(place, tiny_model)
    code = stopped_at(gcs_proxy, spec, tmp_path / "first", units, how)
    assert code == (-signal.SIGKILL if how == signal.SIGKILL else 128 + signal.SIGTERM)
    kept = [name for name in objects_below(join(place, "jobs")) if name.endswith(".npz")]
    assert len(kept) >= units
    with started(spec, tmp_path / "second") as process:
        output, _ = process.communicate(timeout=HANGS)
    assert process.returncode == 0, output
    told = [line for line in lines(output) if "event" in line]
    finished = {line["stage"]: line["record"] for line in told if line["event"] == "StageFinished"}
    tiles = sum("/tiles/" in name for name in kept)
    assert (finished["network"]["earlier_units"], finished["network"]["units"]) == (tiles, 4 - tiles)
    assert (finished["labels"]["earlier_units"], finished["labels"]["units"]) == (
        len(kept) - tiles,
        8 - len(kept) + tiles,
    )
    assert "statistics" not in finished
    assert {mask: read_bytes(join(place, mask.format("image"))) for mask in MASKS} == expected
    assert not [name for name in objects_below(join(place, "jobs")) if name.startswith("image.")]
    assert not list((tmp_path / "second").rglob("*.np[yz]"))


@pytest.mark.slow
def test_damaged_work_is_done_again(gcs_proxy, dataset, expected, tiny_model, tmp_path) -> None:
    place = sent(dataset, f"gs://{BUCKET}/{tmp_path.name}")
    spec = spec_for(place, tiny_model)
    stopped_at(gcs_proxy, spec, tmp_path / "first", 7, signal.SIGKILL)
    kept = [name for name in objects_below(join(place, "jobs")) if name.endswith(".npz")]
    victims = [next(name for name in kept if part in name) for part in ("/tiles/", "/whole-cell/")]
    for name in victims:
        uri = join(place, "jobs", name)
        write_bytes(uri, read_bytes(uri)[:-100])
    with started(spec, tmp_path / "second") as process:
        output, _ = process.communicate(timeout=HANGS)
    assert process.returncode == 0, output
    assert "it is done again" in output
    assert {mask: read_bytes(join(place, mask.format("image"))) for mask in MASKS} == expected
