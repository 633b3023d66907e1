"""SIGKILL at any moment, and the same command again: equal bytes, and nothing is written by what was left behind."""

import os
import random
import shutil
import sys
import time

import pytest

from tests.cli.runs import run
from tests.engines.dask.clusters import processes
from tests.engines.tasks.cloud import spec_for
from tests.hostile.killed_runs import Started, outputs, seconds_of
from tests.pipeline.spots import spots, write_dataset

pytestmark = [
    pytest.mark.hostile,
    pytest.mark.timeout(3600),
    pytest.mark.skipif(sys.platform == "win32", reason="processes are not killed like that there"),
]

KILLS = int(os.environ.get("CELLSCALE_KILLS", "20"))
AT_ONCE = (KILLS + 1) // 2
_TRIES = 20
SETTLED = 2.0
"""Seconds after which a task that was left behind would have written something."""


class Kept:
    """A dataset that every run finds as if it were the first, at the same place and with the same times."""

    def __init__(self, folder, model):
        self.dataset, self.log, self._model = folder / "dataset", folder / "log.txt", model
        self._first = write_dataset(folder / "first", one=spots((300, 420)), two=spots((300, 260), seed=1))

    def anew(self):
        shutil.rmtree(self.dataset, ignore_errors=True)
        shutil.copytree(self._first, self.dataset)

    def words(self):
        return self._words("--workers", 2)

    def dask_words(self, address):
        return self._words("--dask_scheduler", address)

    def _words(self, *options):
        return ("segment-and-measure", "--model_path", self._model, *options, "workspace", self.dataset)

    def start(self, *words):
        return Started(self.log, *words)

    def kill(self, words, seconds, chance, before=lambda: None):
        """Kill a command at work, at any moment of some seconds, in a dataset where something was done before."""
        for _ in range(_TRIES):
            self.anew()
            before()
            if self.start(*words).kill_within(seconds, chance):
                return
        raise AssertionError("it always ended before it was killed")

    def finish(self, *words):
        assert self.start(*words).ended() == 0, self.log.read_text()

    def expected(self, *words):
        """Return the bytes of a run that nobody disturbed, and how long it took."""
        self.anew()
        self.finish(*words)  # once more than needed: kernels are compiled
        self.anew()
        seconds = seconds_of(lambda: self.finish(*words))
        return outputs(self.dataset), seconds

    def require(self, expected):
        """Check that all is as it should be, and stays."""
        found = outputs(self.dataset)
        assert found.keys() == expected.keys()
        assert [name for name in found if found[name] != expected[name]] == []
        assert run("verify", self.dataset).exit_code == 0


@pytest.fixture
def kept(tmp_path, tiny_model):
    return Kept(tmp_path, tiny_model)


def test_a_local_run_that_is_killed_ends_with_the_same_bytes(kept):
    chance = random.Random(1)
    expected, seconds = kept.expected(*kept.words())
    for number in range(KILLS):
        kept.kill(kept.words(), seconds, chance)
        kept.finish(*kept.words())
        kept.require(expected)
        print(f"local: {number + 1} of {KILLS} killed", flush=True)


def test_stage_commands_that_are_killed_end_with_the_same_bytes(kept, tiny_model):
    chance = random.Random(2)

    def commands():
        spec = spec_for(kept.dataset, tiny_model)
        steps = [
            ("stage", word, "--tasks_spec_uri", spec, "--task_index", index)
            for word in ("segment-image", "measure-image")
            for index in range(2)
        ]
        return [*steps, ("stage", "finish", "--tasks_spec_uri", spec)]

    def undisturbed():
        kept.anew()
        for words in commands():
            kept.finish(*words)
        return outputs(kept.dataset)

    undisturbed()
    start = time.monotonic()
    expected = undisturbed()
    seconds = (time.monotonic() - start) / 5
    for number in range(KILLS):
        steps = commands()
        done, left = steps[: number % len(steps)], steps[number % len(steps) :]

        def earlier(done=done):
            commands()  # writes the list of tasks
            for words in done:
                kept.finish(*words)

        kept.kill(left[0], seconds, chance, before=earlier)
        for words in left:
            kept.finish(*words)
        kept.require(expected)
        print(f"stage commands: {number + 1} of {KILLS} killed", flush=True)


@pytest.fixture
def cluster(tmp_path):
    with processes(tmp_path / "cluster") as cluster:
        cluster.start(2)
        yield cluster


@pytest.mark.parametrize("wait", [True, False], ids=["later", "at once"])
def test_a_client_of_dask_that_is_killed_leaves_no_work_that_writes(kept, cluster, wait):
    chance = random.Random(3)
    words = kept.dask_words(cluster.address)
    expected, seconds = kept.expected(*words)
    count = KILLS if wait else AT_ONCE
    for number in range(count):
        kept.kill(words, seconds, chance)
        if wait:
            time.sleep(chance.uniform(0, SETTLED))
        kept.finish(*words)
        kept.require(expected)
        before = written(kept.dataset)
        time.sleep(SETTLED)
        assert written(kept.dataset) == before
        print(f"Dask, client, {'later' if wait else 'at once'}: {number + 1} of {count} killed", flush=True)


@pytest.mark.parametrize("what", ["worker", "scheduler"])
def test_workers_and_schedulers_of_dask_that_are_killed_change_no_byte(kept, cluster, what):
    chance = random.Random(4)
    words = kept.dask_words(cluster.address)
    expected, seconds = kept.expected(*words)
    for number in range(KILLS):
        kept.anew()
        running = kept.start(*words)
        time.sleep(chance.uniform(0, seconds))
        if what == "worker":
            cluster.replace_worker()
        else:
            cluster.kill()
            cluster.start(2)
        code = running.ended()
        if code != 0:  # a run that could not begin without a scheduler says so, and begins again
            kept.finish(*words)
        kept.require(expected)
        print(f"Dask, {what}: {number + 1} of {KILLS} killed", flush=True)


def written(dataset):
    """Return what tells that a file was written."""
    return {path: (path.stat().st_mtime_ns, path.stat().st_ino) for path in dataset.rglob("*") if path.is_file()}
