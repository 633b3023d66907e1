"""SIGKILL at any moment, and the same command again: equal bytes, and nothing is written by what was left behind.

``CELLSCALE_KILLS`` says how many there are of each kind, ``CELLSCALE_KILLS_FROM`` the first one's number, which is
the seed of its moment. One that fails does not stop the others.
"""

import os
import random
import shutil
import sys
import time

import pytest

from tests.cli.runs import run
from tests.engines.tasks.cloud import spec_for
from tests.hostile.killed_runs import Cluster, Started, outputs
from tests.pipeline.spots import spots, write_dataset

pytestmark = [
    pytest.mark.hostile,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(sys.platform == "win32", reason="processes are not killed like that there"),
]

KILLS = int(os.environ.get("CELLSCALE_KILLS", "20"))
FIRST = int(os.environ.get("CELLSCALE_KILLS_FROM", "1"))
SEEDS = range(FIRST, FIRST + KILLS)
AT_ONCE = SEEDS[: (KILLS + 1) // 2]
NETWORKS = ["tiny", "instanseg"]
"""One like Mesmer that finds bright spots, and InstanSeg itself."""
_TRIES = 20
SETTLED = 2.0
"""Seconds after which a task that was left behind would have written something."""


class Kept:
    """A dataset that every run finds as if it were the first, at the same place and with the same times."""

    def __init__(self, folder, model):
        self.dataset, self.log, self.model = folder / "dataset", folder / "log.txt", model
        # The second has two squares of InstanSeg's.
        self._first = write_dataset(folder / "first", one=spots((150, 200)), two=spots((60, 560), seed=1))
        self._expected = {}

    def anew(self):
        shutil.rmtree(self.dataset, ignore_errors=True)
        shutil.copytree(self._first, self.dataset)

    def words(self, *options):
        return (
            "segment-and-measure",
            "--model_path",
            self.model,
            *(options or ("--workers", 2)),
            "workspace",
            self.dataset,
        )

    def start(self, *words):
        return Started(self.log, *words)

    def kill(self, words, seconds, chance, before=lambda: None):
        """Kill a command at work, at any moment of some seconds, in a dataset where something was done before."""
        for _ in range(_TRIES):
            self.anew()
            before()
            after = chance.uniform(0, seconds)
            if self.start(*words).killed(after):
                print(f"killed after {after:.2f} s of {seconds:.2f}: {words[:2]}; {len(written(self.dataset))} files")
                return
        raise AssertionError("it always ended before it was killed")

    def finish(self, *words):
        start = time.monotonic()
        assert self.start(*words).ended() == 0, self.log.read_text()[-5000:]
        return time.monotonic() - start

    def undisturbed(self, kind, work):
        """Return the bytes that some work ends with that nobody disturbs, and how long it takes."""
        if kind not in self._expected:
            self.anew()
            work()  # once more than needed: kernels are compiled
            self.anew()
            start = time.monotonic()
            work()
            self._expected[kind] = outputs(self.dataset), time.monotonic() - start
        return self._expected[kind]

    def require(self, expected):
        """Check that all is as it should be, and stays."""
        found = outputs(self.dataset)
        assert found.keys() == expected.keys()
        assert [name for name in found if found[name] != expected[name]] == []
        assert run("verify", self.dataset).exit_code == 0


@pytest.fixture(scope="module")
def kept(request, tmp_path_factory):
    network = getattr(request, "param", "tiny")
    path = request.getfixturevalue("tiny_model" if network == "tiny" else "instanseg_path")
    return Kept(tmp_path_factory.mktemp("kills"), path)


@pytest.mark.parametrize("kept", NETWORKS, indirect=True)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_local_run_that_is_killed_ends_with_the_same_bytes(kept, seed):
    words = kept.words()
    expected, seconds = kept.undisturbed("local", lambda: kept.finish(*words))
    kept.kill(words, seconds, random.Random(f"local {seed}"))
    kept.finish(*words)
    kept.require(expected)


@pytest.mark.parametrize("kept", NETWORKS, indirect=True)
@pytest.mark.parametrize("seed", SEEDS)
def test_stage_commands_that_are_killed_end_with_the_same_bytes(kept, seed):
    def commands():
        """Write the list of tasks, and return what does them."""
        spec = spec_for(kept.dataset, kept.model)
        steps = [
            ("stage", word, "--tasks_spec_uri", spec, "--task_index", index)
            for word in ("segment-image", "measure-image")
            for index in range(2)
        ]
        return [*steps, ("stage", "finish", "--tasks_spec_uri", spec)]

    def do(steps):
        return [kept.finish(*words) for words in steps]

    expected, seconds = kept.undisturbed("stages", lambda: do(commands()))
    kept.anew()
    steps = commands()
    number = seed % len(steps)
    chance = random.Random(f"stage {seed}")
    kept.kill(steps[number], seconds / len(steps), chance, before=lambda: do(commands()[:number]))
    do(steps[number:])
    kept.require(expected)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    cluster = Cluster(tmp_path_factory.mktemp("cluster"))
    cluster.start(2)
    yield cluster
    cluster.kill()


@pytest.mark.parametrize(
    ("wait", "seed"),
    [*((False, seed) for seed in AT_ONCE), *((True, seed) for seed in SEEDS)],
    ids=lambda value: {True: "later", False: "at once"}.get(value, value) if isinstance(value, bool) else str(value),
)
def test_a_client_of_dask_that_is_killed_leaves_no_work_that_writes(kept, cluster, wait, seed):
    words = kept.words("--dask_scheduler", cluster.address)
    expected, seconds = kept.undisturbed("dask", lambda: kept.finish(*words))
    chance = random.Random(f"client {wait} {seed}")
    kept.kill(words, seconds, chance)
    if wait:
        time.sleep(chance.uniform(0, SETTLED))
    kept.finish(*words)
    kept.require(expected)
    before = written(kept.dataset)
    time.sleep(SETTLED)
    assert written(kept.dataset) == before


@pytest.mark.parametrize("kept", NETWORKS, indirect=True)
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("what", ["worker", "scheduler"])
def test_workers_and_schedulers_of_dask_that_are_killed_change_no_byte(kept, cluster, what, seed):
    words = kept.words("--dask_scheduler", cluster.address)
    expected, seconds = kept.undisturbed("dask", lambda: kept.finish(*words))
    chance = random.Random(f"{what} {seed}")
    for _ in range(_TRIES):
        kept.anew()
        running = kept.start(*words)
        after = chance.uniform(0, seconds)
        if not running.ended_within(after):
            break
        assert running.ended() == 0
    print(f"killed after {after:.2f} s of {seconds:.2f}; {len(written(kept.dataset))} files")
    if what == "worker":
        cluster.replace_worker()
    else:
        cluster.kill()
        cluster.start(2)
    code = running.ended()
    print("exit code of the run that lost it:", code)
    if code != 0:  # a run that could not begin without a scheduler says so, and begins again
        kept.finish(*words)
    kept.require(expected)


def written(dataset):
    """Return what tells that a file was written."""
    return {path: (path.stat().st_mtime_ns, path.stat().st_ino) for path in dataset.rglob("*") if path.is_file()}
